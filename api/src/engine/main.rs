//! `phananh-engine`: the process that answers SQL. `phananh` starts it; it has no command line.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::FAILURE
}
