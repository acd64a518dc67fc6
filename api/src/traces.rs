//! The log, and traces for whoever collects them with OpenTelemetry.

use opentelemetry::global;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use schema::domain::inert::visible;
use std::io::{self, IsTerminal};
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Warnings, but not those of the parsers of HTTP and WebSocket: they write an error for each request or message that is
/// malformed, so that anybody could fill the log.
const DEFAULT_FILTER: &str = "warn,actix_http::h1=off,actix_http::ws=off";

/// Sends what waits when it is dropped.
pub struct Traces(Option<SdkTracerProvider>);

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            // The collector may be gone: the program ends all the same.
            let _gone = provider.shutdown();
        }
    }
}

/// Logs to standard error: warnings, or what `RUST_LOG` asks for; `PHANANH_LOG=json` for programs. Spans of
/// requests, operations and reads of the database go to `OTEL_EXPORTER_OTLP_ENDPOINT` where that is set.
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
    // Set once in the life of the process, so it cannot fail.
    let _set = tracing_subscriber::registry().with(log).with(spans).try_init();
    Traces(provider)
}

/// Writes each entry of the log on one line, with nothing in it that a terminal or a reader would take for more than text: the
/// formatter escapes some characters of the values of others, and lets line breaks and marks of direction through.
struct OneLine<W> {
    to: W,
    /// Whether the formatter colours what it writes: then its escapes stay, and those of values it has made visible.
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

fn provider() -> Option<SdkTracerProvider> {
    let names = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    if !names.iter().any(|name| std::env::var_os(name).is_some()) {
        return None;
    }
    let exporter = match SpanExporter::builder().with_http().build() {
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

/// Makes a span part of the trace that a request belongs to (`traceparent`).
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
        // Where no traces are sent there is nothing to be part of.
        let _not_sent = span.set_parent(parent);
    }
}
