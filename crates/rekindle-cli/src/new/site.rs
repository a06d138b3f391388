//! The files that are written: those of `examples/site`.

/// A file as it is in `examples/site`.
macro_rules! file {
    ($path:literal) => {
        ($path, include_bytes!(concat!("../../../../examples/site/", $path)))
    };
}

/// Their paths, and their bytes.
pub(super) const FILES: [(&str, &[u8]); 11] = [
    file!("README.md"),
    file!("config/site.schema.json"),
    file!("config/site.toml"),
    file!("static/app.css"),
    file!("static/fire.svg"),
    file!("templates/hello.html"),
    file!("templates/how.html"),
    file!("templates/index.html"),
    file!("templates/layouts/base.html"),
    file!("templates/partials/header.html"),
    file!("templates/partials/step.html"),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::FILES;

    fn below(directory: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }

    #[test]
    fn every_file_of_the_example_is_written() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/site");
        let mut found = Vec::new();
        below(&root, &root, &mut found);
        found.sort();
        assert_eq!(FILES.map(|(path, _)| path.to_owned()).to_vec(), found);
    }
}
