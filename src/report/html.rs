//! HTML that no name or note of an export can become a part of: whatever is not written here as it stands is escaped.

/// Text being written as HTML.
#[derive(Default)]
pub struct Html(String);

impl Html {
    /// Markup as it stands. Only what is written in the program can be.
    pub fn raw(&mut self, markup: &'static str) -> &mut Html {
        self.0.push_str(markup);
        self
    }

    /// Text, escaped. Characters that HTML does not know are left out, and those that turn the writing of what
    /// follows them.
    pub fn text(&mut self, text: impl AsRef<str>) -> &mut Html {
        let text = text.as_ref();
        // Nearly all text has nothing that must be escaped.
        if !text
            .bytes()
            .any(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'' | 0..32 | 127 | 0xC2 | 0xD8 | 0xE2))
        {
            self.0.push_str(text);
            return self;
        }
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(c),
                c if c.is_control() || turns(c) => {}
                c => self.0.push(c),
            }
        }
        self
    }

    pub fn number(&mut self, number: impl Into<i128>) -> &mut Html {
        self.0.push_str(&number.into().to_string());
        self
    }

    /// An opening tag with its attributes.
    pub fn open(&mut self, tag: &'static str, attributes: &[(&'static str, &str)]) -> &mut Html {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
        self
    }

    pub fn close(&mut self, tag: &'static str) -> &mut Html {
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
        self
    }

    /// Text in a tag.
    pub fn tagged(&mut self, tag: &'static str, text: impl AsRef<str>) -> &mut Html {
        self.open(tag, &[]).text(text).close(tag)
    }

    /// Text in a tag of a class.
    pub fn classed(&mut self, tag: &'static str, class: &str, text: impl AsRef<str>) -> &mut Html {
        self.open(tag, &[("class", class)]).text(text).close(tag)
    }

    /// A row of header cells.
    pub fn header(&mut self, titles: &[String]) -> &mut Html {
        self.raw("<thead><tr>");
        for title in titles {
            self.open("th", &[("scope", "col")]).text(title).close("th");
        }
        self.raw("</tr></thead>")
    }

    pub fn done(self) -> String {
        self.0
    }
}

/// Whether a character is not seen and changes the direction in which others are written.
fn turns(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_never_becomes_markup() {
        let mut html = Html::default();
        html.open("td", &[("title", "\" onclick=\"x")])
            .text("<script>'&'\u{0}\u{1b}\r\n</script>")
            .close("td");
        html.text("a\u{202E}b\u{2066}\u{61C}c “d”");
        assert_eq!(
            html.done(),
            "<td title=\"&quot; onclick=&quot;x\">&lt;script&gt;&#39;&amp;&#39;\n&lt;/script&gt;</td>abc “d”"
        );
    }
}
