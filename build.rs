//! Puts every rule file of `regions/` into the binary, so that it works alone.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=regions");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    for region in sorted(&root.join("regions")) {
        if region.is_dir() {
            files.extend(
                sorted(&region).into_iter().filter(|file| file.extension().is_some_and(|end| end == "toml")),
            );
        }
    }
    let mut list = String::from("&[\n");
    for file in files {
        let part = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
        let region = part(file.parent().expect("in a folder"));
        writeln!(list, "    ({region:?}, {:?}, include_str!({file:?})),", part(&file))
            .expect("writing to a String");
    }
    list.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("rule_files.rs"), list).expect("the build folder is writable");
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
}
