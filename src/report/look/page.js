(function () {
  "use strict";
  var table = document.getElementById("all");
  var body = table.tBodies[0];
  var rows = Array.prototype.slice.call(body.rows);
  var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
  var find = document.getElementById("find");
  var district = document.getElementById("district");
  var back = document.getElementById("back");
  var shown = document.getElementById("shown");
  var last = heads.length - 1;
  function text(row, at) { return row.cells[at].textContent; }
  function amount(row, at) {
    var value = parseFloat(text(row, at).replace(/,/g, ""));
    return isNaN(value) ? -Infinity : value;
  }
  function sort(at, down) {
    var number = heads[at].className === "n";
    var order = rows.map(function (row, nth) {
      return { row: row, nth: nth, key: number ? amount(row, at) : text(row, at) };
    });
    order.sort(function (a, b) {
      var way = number ? a.key - b.key || 0 : a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
      return (down ? -way : way) || a.nth - b.nth;
    });
    order.forEach(function (one) { body.appendChild(one.row); });
    heads.forEach(function (head, nth) {
      if (nth === at) { head.setAttribute("aria-sort", down ? "descending" : "ascending"); }
      else { head.removeAttribute("aria-sort"); }
    });
  }
  function filter() {
    var words = find.value.trim().toLowerCase();
    var count = 0;
    rows.forEach(function (row) {
      var fits = (!words || (text(row, 0) + " " + text(row, 1)).toLowerCase().indexOf(words) >= 0)
        && (!district.value || text(row, 2) === district.value)
        && (!back.checked || amount(row, last) > 0);
      row.hidden = !fits;
      row.style.display = fits ? "" : "none";
      if (fits) { count += 1; }
    });
    shown.textContent = count + " / " + rows.length;
  }
  heads.forEach(function (head, at) {
    head.firstChild.addEventListener("click", function () {
      var number = head.className === "n";
      var now = head.getAttribute("aria-sort");
      sort(at, now ? now === "ascending" : number);
    });
  });
  find.addEventListener("input", filter);
  district.addEventListener("change", filter);
  back.addEventListener("change", filter);
  filter();
})();
