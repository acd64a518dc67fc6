//! The files of the page in the binary. Their addresses hold a hash of the content, so that browsers keep them.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Path;
use data_encoding::HEXLOWER;
use rust_embed::Embed;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

#[derive(Embed)]
#[folder = "assets/web"]
pub struct Assets;

impl Assets {
    /// The text files below a folder, with their paths.
    pub fn texts(folder: &'static str) -> impl Iterator<Item = (String, String)> {
        Self::iter().filter(move |path| path.starts_with(folder)).filter_map(|path| {
            let text = String::from_utf8(Self::get(&path)?.data.into_owned()).ok()?;
            Some((path.into_owned(), text))
        })
    }
}

/// Path of each asset, by its address below `/assets/`.
static BY_ADDRESS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let paths = Assets::iter().filter(|path| path.starts_with("static/"));
    paths.filter_map(|path| Some((hashed(&path)?, path.into_owned()))).collect()
});

/// `static/style.css` as `style.0123456789abcdef.css`.
fn hashed(path: &str) -> Option<String> {
    let hash = HEXLOWER.encode(&Assets::get(path)?.metadata.sha256_hash()[..8]);
    let (stem, extension) = path.strip_prefix("static/")?.rsplit_once('.')?;
    Some(format!("{stem}.{hash}.{extension}"))
}

/// The address of a file in `assets/web/static`; None if it does not exist.
pub fn asset_address(file: &str) -> Option<String> {
    Some(format!("/assets/{}", hashed(&format!("static/{file}"))?))
}

/// The handler of `/assets/{file}`.
pub async fn asset(file: Path<String>) -> HttpResponse {
    let Some(found) = BY_ADDRESS.get(file.as_str()).and_then(|path| Assets::get(path)) else {
        return HttpResponse::NotFound().finish();
    };
    let media = match file.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("woff2") => "font/woff2",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let mut builder = HttpResponse::Ok();
    builder.content_type(media).insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
    builder.insert_header(("x-content-type-options", "nosniff"));
    if file.ends_with(".css") {
        // The style sheet names the fonts without their hashes.
        return builder.body(with_addresses(&String::from_utf8_lossy(&found.data)));
    }
    match found.data {
        Cow::Borrowed(bytes) => builder.body(bytes),
        Cow::Owned(bytes) => builder.body(bytes),
    }
}

/// A style sheet in which `url("inter.woff2")` is the address of that file.
fn with_addresses(css: &str) -> String {
    let fonts = BY_ADDRESS.iter().filter(|(_, path)| path.ends_with(".woff2"));
    fonts.fold(css.to_owned(), |css, (address, path)| {
        let file = path.trim_start_matches("static/");
        css.replace(&format!("url(\"{file}\")"), &format!("url(\"/assets/{address}\")"))
    })
}
