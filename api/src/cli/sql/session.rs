//! The prompt: a session of questions with history, completion, a pager and commands that begin with a backslash.

use super::super::output::{print_error, print_note, table};
use super::complete::SqlHelper;
use super::interrupt::Interrupts;
use super::statement::{COMMANDS, Input, input};
use super::way::Way;
use super::{pager, print};
use crate::sql::cells::type_name;
use jobs::tables::Table;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

const PROMPT: &str = "phananh> ";
/// Entries of the history.
const HISTORY: usize = 5_000;

struct Session<'w> {
    way: &'w Way<'w>,
    interrupts: Interrupts,
    timing: bool,
    pager: bool,
}

/// Answers questions until Ctrl-D or `\q`.
///
/// # Errors
/// If the terminal fails. A failed question is printed, and is no error.
pub fn run(way: &Way<'_>) -> anyhow::Result<ExitCode> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .build();
    let mut editor: Editor<SqlHelper, DefaultHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(SqlHelper::new(way.tables())));
    let history = history_file();
    if let Some(file) = &history {
        open_history(&mut editor, file);
    }
    let mut session = Session { way, interrupts: Interrupts::handled()?, timing: false, pager: true };
    print_note("End a question with a semicolon. \\? shows the commands, Ctrl-D quits.");
    if way.has_temporary_key() {
        print_note("note: without --key-file, pseudonyms are of a temporary key: another session has others");
    }
    loop {
        let typed = match editor.readline(PROMPT) {
            Ok(typed) => typed,
            // Ctrl-C at the prompt discards the line.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(ExitCode::SUCCESS),
            Err(error) => return Err(error.into()),
        };
        let read = input(&typed);
        if read != Input::Nothing {
            remember(&mut editor, typed.trim_end(), history.as_deref());
        }
        let screen = editor.dimensions().map(|(_, rows)| rows);
        if !session.answers(read, screen)? {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

impl Session<'_> {
    /// Answers what was typed; false if the session ends.
    fn answers(&mut self, read: Input<'_>, screen: Option<u16>) -> anyhow::Result<bool> {
        match read {
            Input::Nothing => {}
            Input::Quit => return Ok(false),
            Input::Help => {
                let rows = COMMANDS.iter().map(|(command, what)| vec![(*command).to_owned(), (*what).to_owned()]);
                self.show(&table(&["COMMAND", "WHAT IT DOES"], rows), screen)?;
            }
            Input::Tables => {
                let rows = self.way.tables().into_iter().map(|one| vec![one.name.to_owned(), one.comment.to_owned()]);
                self.show(&table(&["TABLE", "WHAT IT HOLDS"], rows), screen)?;
            }
            Input::Table(name) => match self.way.tables().iter().find(|one| one.name.eq_ignore_ascii_case(name)) {
                Some(one) => self.show(&columns_of(one), screen)?,
                None => print_note(format_args!("error: there is no table {name:?}: \\d lists the tables")),
            },
            Input::Timing => {
                self.timing = !self.timing;
                print_note(if self.timing { "timing is on" } else { "timing is off" });
            }
            Input::Pager => {
                self.pager = !self.pager;
                print_note(if self.pager { "the pager is on" } else { "the pager is off" });
            }
            Input::Unknown(command) => {
                print_note(format_args!("error: there is no command {command}: \\? lists the commands"));
            }
            Input::Statements(all) => {
                for sql in all {
                    if !self.ask(sql, screen)? {
                        break;
                    }
                }
            }
        }
        Ok(true)
    }

    /// Answers one question; false if it has no answer.
    fn ask(&self, sql: &str, screen: Option<u16>) -> anyhow::Result<bool> {
        let began = Instant::now();
        let running = self.way.begin();
        let asking = self.interrupts.asking(running.clone());
        let asked = self.way.parse(sql).and_then(|asked| self.way.ask(&running, &asked));
        let answered = asked.and_then(|mut answer| {
            let rows = print::rows(&mut answer)?;
            Ok((answer, rows))
        });
        let was_cancelled = asking.was_cancelled();
        drop(asking);
        let took = began.elapsed();
        let is_answered = match answered {
            Ok((answer, rows)) => {
                let number = match rows.len() {
                    1 => "(1 row)".to_owned(),
                    rows => format!("({rows} rows)"),
                };
                self.show(&format!("{}\n{number}", print::as_table(&answer, &rows)), screen)?;
                print::note_truncated(&answer);
                true
            }
            Err(_) if was_cancelled => {
                print_note("cancelled");
                false
            }
            Err(error) => {
                print_error(&error);
                false
            }
        };
        if self.timing {
            print_note(format_args!("time: {} ms", took.as_millis()));
        }
        Ok(is_answered)
    }

    fn show(&self, text: &str, screen: Option<u16>) -> anyhow::Result<()> {
        let screen = screen.filter(|_| self.pager);
        Ok(pager::show(&format!("{text}\n"), screen, &self.interrupts)?)
    }
}

/// The columns of a table.
fn columns_of(one: &Table) -> String {
    let rows = one.columns.iter().map(|column| {
        let null = if column.nullable { "yes" } else { "no" };
        vec![column.name.to_owned(), type_name(&column.of.arrow()), null.to_owned(), column.comment.to_owned()]
    });
    format!("{}: {}\n\n{}", one.name, one.comment, table(&["COLUMN", "TYPE", "NULL", "WHAT IT HOLDS"], rows))
}

/// The file of the history, in the user's folder for the state of programs. Its questions may hold pseudonyms: only its
/// owner may read it, as all files of this program.
fn history_file() -> Option<PathBuf> {
    let folder = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("phananh/sql_history"))
}

/// Reads the history. A session without one works.
fn open_history(editor: &mut Editor<SqlHelper, DefaultHistory>, file: &Path) {
    if let Some(folder) = file.parent()
        && let Err(error) = std::fs::create_dir_all(folder)
    {
        print_note(format_args!("note: there is no history: {}: {error}", folder.display()));
        return;
    }
    if file.exists()
        && let Err(error) = editor.load_history(file)
    {
        print_note(format_args!("note: the history cannot be read: {}: {error}", file.display()));
    }
}

/// Keeps what was typed for this session and later ones.
fn remember(editor: &mut Editor<SqlHelper, DefaultHistory>, typed: &str, file: Option<&Path>) {
    if editor.add_history_entry(typed).is_ok_and(|is_new| is_new)
        && let Some(file) = file
    {
        // Said at the start, if the folder cannot be written.
        let _unwritten = editor.append_history(file);
    }
}
