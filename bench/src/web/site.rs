//! The site that everybody serves: pages on a layout with a partial, a stylesheet.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use crate::harness::Result;
use crate::harness::tree::directory;

/// Pages beside the one that is rendered.
const OTHERS: usize = 40;

const LAYOUT: &str = "<!doctype html><html lang=en><head><title>{% block title %}{% endblock %}</title>\n\
    <link rel=stylesheet href=/static/app.css></head>\n<body>{% include 'header.html' %}<main>{% block main %}\
    {% endblock %}</main></body></html>\n";

const PAGE: &str = "{% extends 'layout.html' %}{% block title %}{{ title }}{% endblock %}\n\
    {% block main %}<h1>{{ title }}</h1><ul>\n{% for row in rows %}{% include 'row.html' %}{% endfor %}</ul>{% endblock %}\n";

const ROW: &str = "<li class=\"{{ loop.cycle('odd', 'even') }}\">{{ row.name }}: {{ row.price }}\
    {% if row.new %} <b>new</b>{% endif %}</li>\n";

/// A temporary site.
#[derive(Debug)]
pub(crate) struct Site {
    directory: TempDir,
    saves: AtomicU64,
}

impl Site {
    pub(crate) fn new() -> Result<Self> {
        let site = Self { directory: directory()?, saves: AtomicU64::new(0) };
        for name in ["config", "templates", "static"] {
            fs::create_dir(site.root().join(name))?;
        }
        fs::write(site.templates().join("layout.html"), LAYOUT)?;
        fs::write(site.templates().join("page.html"), PAGE)?;
        fs::write(site.templates().join("row.html"), ROW)?;
        for number in 0..OTHERS {
            fs::write(site.templates().join(format!("other{number}.html")), PAGE)?;
        }
        site.save_header()?;
        site.save_style(|| ())?;
        Ok(site)
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn templates(&self) -> PathBuf {
        self.root().join("templates")
    }

    /// A partial of every page, which shows another number each time.
    pub(crate) fn save_header(&self) -> Result<()> {
        let number = self.saves.fetch_add(1, Ordering::Relaxed);
        self.save("templates/header.html", &format!("<header data-number={number}>A site</header>"), || ())
    }

    /// The stylesheet, another one each time. `finishing` is called when all is written but what finishes it.
    pub(crate) fn save_style<T>(&self, finishing: impl FnOnce() -> T) -> Result<T> {
        let number = self.saves.fetch_add(1, Ordering::Relaxed);
        self.save("static/app.css", &format!("h1 {{ order: {number} }}\n"), finishing)
    }

    /// As most editors save: beside the file, then over it.
    fn save<T>(&self, file: &str, text: &str, finishing: impl FnOnce() -> T) -> Result<T> {
        let beside = self.root().join("saved.tmp");
        fs::write(&beside, text)?;
        let noted = finishing();
        fs::rename(beside, self.root().join(file))?;
        Ok(noted)
    }
}

/// The number in a rendered page.
pub(crate) fn number(page: &str) -> Option<u64> {
    let digits = page.split("data-number=").nth(1)?.split('>').next()?;
    digits.parse().ok()
}
