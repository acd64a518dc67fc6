//! The web page: views rendered on the server, for a reader who is signed in.
//!
//! # How to add a view
//!
//! A view is one file in `views/` (a folder when it has several pages or forms), its templates
//! `assets/web/templates/<view>.html` (`<view>-<page>.html`), and its words `assets/web/words/<view>.vi.ftl` and
//! `<view>.en.ftl`, in which every key begins with `<view>-`, or is `nav-<view>` or `done-<view>-…`. Words of enums are
//! in `layout.vi.ftl` and `layout.en.ftl`. Then:
//!
//! 1. A constant with a GraphQL document for each question. Fields that several documents share are fragments in a
//!    file of their own, which `concat!` appends. Give operations a name that begins with `Page`, because metrics and
//!    the audit log show it. The access table decides what the reader may ask, and refuses a document that names one
//!    field more, also under `@include`: where fields are for some roles only, write a document for each group of
//!    roles, and choose by [`Visit::may`].
//! 2. A handler that takes a [`Visit`] and answers through [`Visit::respond`]:
//!
//!    ```ignore
//!    pub fn routes(config: &mut ServiceConfig) {
//!        config.route("/things", get().to(list)).route("/things/{id}/close", post().to(close));
//!    }
//!
//!    async fn list(visit: Visit) -> HttpResponse {
//!        let page = page(&visit).await;
//!        visit.respond(page)
//!    }
//!
//!    async fn page(visit: &Visit) -> Result<Page, PageError> {
//!        let data = visit.query(THINGS, json!({ "first": visit.rows(25), "after": visit.argument("after") })).await?;
//!        let rows = nodes(&data["things"]).map(|thing| vec![Cell::link(text(&thing["code"]), "/things/…")]);
//!        Ok(Page::new("things.html", visit.t("things-title"))
//!            .table(Table::new("things", visit.t("things-caption"), &[visit.t("things-code")], rows))
//!            .with("page_info", &data["things"]["pageInfo"]))
//!    }
//!    ```
//!
//!    `visit.query` runs the document as the reader, through access table, limits, budget and audit log, and notes it
//!    for *show the query*. Every table of the page is offered as CSV and XLSX at the same address (`?as=csv`,
//!    `?as=xlsx`), so the handler asks for `visit.rows(n)` rows: n for a page, more for a file. Where a document takes
//!    `$first` and `$after`, and its list tells `pageInfo`, a file gets the further pages, too (`whole`).
//!    Questions that do not depend on one another are asked at the same time: each makes a [`Page::part`], or its data
//!    are awaited together (`tokio::try_join!`). One operation for all of them would run on one thread.
//! 3. A form is `method="post"` and has `{{ ui.csrf(page) }}`. Its handler takes [`Posted`], which refuses a form
//!    without the secret of the session or from another site; it calls [`Visit::change`] and answers with
//!    [`Visit::go_to`] and the key of a word that begins with `done-`. Where the change is refused
//!    ([`PageError::Refused`]), render the page again with [`Page::problems`]: the layout lists them above the form.
//!    `views::form` has fields that check themselves, say what is wrong at each, and find the one that the API refused.
//!    `views::sending` runs their mutations: `send`, or `run` where the answer has something to show.
//!    Every filter is a GET form whose fields are arguments of the address: [`Visit::argument`], [`Visit::link`].
//!    `views::arguments` checks their types, and `views::conditions` makes a filter of them: the API would refuse a
//!    wrong value in English.
//! 4. `views::routes` calls its `routes`, and [`navigation::ENTRIES`] gets a line with the root field that a role must
//!    be allowed in order to see the entry.
//! 5. `tests/whole/web/walk/stage.rs` lists addresses of each route, and makes what they show: the tests of its folder
//!    compare the routes with the list, ask the query of each view again, compare its files with its tables, and look
//!    at it in a browser as each of its readers.
//!
//! Templates extend `layout.html` (blocks `content`, `filters`), which imports `ui.html` for them:
//! `ui.table(tables.things, t("things-nothing"))`, whose words say what to do where it has no rows, `ui.chart(chart,
//! t("layout-table"))`, `ui.pager(newer, older, …)`, `ui.live(path)`, `ui.field(…)`, `ui.when(…)` for a day or a moment,
//! `ui.area(…)`, `ui.choice(…)`.
//! Functions: `t(key, name=value)`, `number(x, digits)`, `percent(x)`, `money(x)`, `date(text)`, `time(text)`,
//! `name(object)` (its `nameVi` or `nameEn`), `asset(file)`; the filter `address` encodes a text for the query of an
//! address.
//! The content security policy allows neither inline scripts nor inline styles: give elements classes of `style.css`.
//! Undefined values are errors.

pub mod address;
mod assets;
mod data;
mod error;
mod file;
mod formats;
pub mod navigation;
mod oidc;
mod page;
mod picture;
mod preferences;
mod refusals;
mod shapes;
mod sign_in;
mod table;
mod templates;
mod views;
mod visit;
mod whole;
mod words;

pub use assets::asset_address;
pub use data::{nodes, text};
pub use error::{PageError, Problem, Said};
pub use formats::{amount, once_in, times};
pub use page::Page;
pub use picture::{Picture, kept_picture, picture};
pub use table::{Cell, Table};
pub use visit::{Posted, Visit, name, not_found};

use actix_web::web::{FormConfig, ServiceConfig, get, post};

/// The most bytes of a form: a correction or an answer may have a long text, sent together with its first value.
const LARGEST_FORM: usize = 512 * 1024;

/// The routes of the page.
pub fn routes(config: &mut ServiceConfig) {
    config
        .app_data(FormConfig::default().limit(LARGEST_FORM))
        .route("/assets/{file:.*}", get().to(assets::asset))
        .route("/prefer", get().to(preferences::prefer))
        .route("/sign-in", get().to(sign_in::form))
        .route("/sign-in", post().to(sign_in::by_token))
        .route("/sign-in/code/{code}", get().to(sign_in::by_code))
        .route("/sign-in/oidc", get().to(oidc::begin))
        .route("/sign-in/oidc/back", get().to(oidc::back))
        .route("/session", get().to(sign_in::stay))
        .route("/sign-out", post().to(sign_in::out))
        .route("/sign-out/everywhere", post().to(sign_in::out_everywhere));
    views::routes(config);
}
