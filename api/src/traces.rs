//! The log on standard error, and OpenTelemetry traces.

use async_graphql::async_trait::async_trait;
use opentelemetry::global;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use schema::domain::inert::visible;
use std::io::{self, IsTerminal};
use std::time::Duration;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Warnings, except those of the HTTP and WebSocket parsers: they log an error for each malformed request or message,
/// so any client could fill the log.
const DEFAULT_FILTER: &str = "warn,actix_http::h1=off,actix_http::ws=off";

/// Exports the remaining spans when dropped.
pub struct Traces(Option<SdkTracerProvider>);

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            // The collector may be unreachable; the program ends anyway.
            let _gone = provider.shutdown();
        }
    }
}

/// Logs to standard error: warnings, or the filter in `RUST_LOG`; as JSON with `PHANANH_LOG=json`. Spans of requests,
/// operations and database reads go to `OTEL_EXPORTER_OTLP_ENDPOINT` if it is set.
pub fn start() -> Traces {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let is_terminal = io::stderr().is_terminal();
    let log = fmt::layer().with_ansi(is_terminal);
    let log = if std::env::var("PHANANH_LOG").is_ok_and(|format| format == "json") {
        log.with_writer(io::stderr).json().with_filter(filter).boxed()
    } else {
        log.with_writer(move || OneLine { to: io::stderr(), colours: is_terminal }).with_filter(filter).boxed()
    };
    let provider = provider();
    let spans = provider.as_ref().map(|provider| {
        let ours = Targets::new().with_target("api", LevelFilter::INFO);
        tracing_opentelemetry::layer().with_tracer(provider.tracer("phananh")).with_filter(ours)
    });
    // The process sets the subscriber only once, so this cannot fail.
    let _set = tracing_subscriber::registry().with(log).with(spans).try_init();
    Traces(provider)
}

/// Writes each log entry on one line and makes control characters visible: the formatter escapes only some characters
/// of untrusted values and lets line breaks and bidirectional marks through.
struct OneLine<W> {
    to: W,
    /// Whether the formatter writes colours: then its own escape sequences stay; it has already escaped those in
    /// values.
    colours: bool,
}

impl<W: io::Write> io::Write for OneLine<W> {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(entry);
        let (line, end) = text.strip_suffix('\n').map_or((&*text, ""), |line| (line, "\n"));
        let mut written = if self.colours {
            line.split('\u{1b}').map(|part| visible(part)).collect::<Vec<_>>().join("\u{1b}")
        } else {
            visible(line).into_owned()
        };
        written.push_str(end);
        self.to.write_all(written.as_bytes())?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The HTTP client that sends spans: `ureq`, which the program uses for other requests, too. The exporter calls it on
/// its own thread, so it may block.
#[derive(Debug)]
struct Client(ureq::Agent);

/// Time that the collector may take for one batch. The variables of OpenTelemetry give it in milliseconds; the default
/// is 10 s.
fn collector_timeout() -> Duration {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    let given = names.iter().find_map(|name| std::env::var(name).ok()?.parse().ok());
    Duration::from_millis(given.unwrap_or(10_000))
}

impl Client {
    fn new() -> Self {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(collector_timeout()));
        Self(config.build().into())
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let (head, mut body) = self.0.run(Request::from_parts(head, body.to_vec()))?.into_parts();
        Ok(Response::from_parts(head, body.read_to_vec()?.into()))
    }
}

fn provider() -> Option<SdkTracerProvider> {
    let names = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    if !names.iter().any(|name| std::env::var_os(name).is_some()) {
        return None;
    }
    let exporter = match SpanExporter::builder().with_http().with_http_client(Client::new()).build() {
        Ok(exporter) => exporter,
        Err(error) => {
            let _closed = io::Write::write_fmt(&mut io::stderr(), format_args!("no traces are sent: {error}\n"));
            return None;
        }
    };
    global::set_text_map_propagator(TraceContextPropagator::new());
    let resource = Resource::builder().with_service_name("phananh").build();
    Some(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Makes a span part of the trace in the `traceparent` header of the request.
pub fn continues(span: &Span, header: impl Fn(&str) -> Option<String>) {
    struct Headers(Option<String>, Option<String>);
    impl Extractor for Headers {
        fn get(&self, key: &str) -> Option<&str> {
            match key {
                "traceparent" => self.0.as_deref(),
                "tracestate" => self.1.as_deref(),
                _ => None,
            }
        }

        fn keys(&self) -> Vec<&str> {
            vec!["traceparent", "tracestate"]
        }
    }
    let headers = Headers(header("traceparent"), header("tracestate"));
    if headers.0.is_some() {
        let parent = global::get_text_map_propagator(|propagator| propagator.extract(&headers));
        // Fails if no traces are exported: then the parent does not matter.
        let _not_sent = span.set_parent(parent);
    }
}
