//! Decouples the writer of a file from the client that reads it.
//!
//! The writer of an export holds a database connection and an export permit, so it must not wait for a slow client.
//! It writes to an unnamed temporary file at disk speed, and the client reads from that file at its own speed.

use actix_web::web::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use tokio::sync::watch;

/// Bytes read and sent in one piece.
const PIECE: usize = 256 * 1024;

/// Progress of the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    written: u64,
    /// Whether the file is complete.
    is_whole: bool,
}

/// The writing end. If it is dropped before [`SpoolWriter::finish`], the reader's stream ends with an error, so that
/// the client does not take the file for complete.
#[derive(Debug)]
pub struct SpoolWriter {
    file: BufWriter<Counted>,
}

#[derive(Debug)]
struct Counted {
    file: Arc<File>,
    progress: watch::Sender<Progress>,
}

/// The reading end.
#[derive(Debug)]
pub struct SpoolReader {
    file: Arc<File>,
    progress: watch::Receiver<Progress>,
    read: u64,
}

/// Creates a temporary file and both ends of it.
///
/// # Errors
/// If the folder for temporary files cannot be written to.
pub fn spool() -> io::Result<(SpoolWriter, SpoolReader)> {
    let file = Arc::new(tempfile::tempfile()?);
    let (progress, read) = watch::channel(Progress { written: 0, is_whole: false });
    let counted = Counted { file: Arc::clone(&file), progress };
    let writer = SpoolWriter { file: BufWriter::with_capacity(PIECE, counted) };
    Ok((writer, SpoolReader { file, progress: read, read: 0 }))
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.progress.is_closed() {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client disconnected"));
        }
        let written = (&*self.file).write(bytes)?;
        self.progress.send_modify(|progress| progress.written += written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl SpoolWriter {
    /// The temporary file, to read it again later: it exists while a handle of it is open.
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.file.get_ref().file)
    }

    /// Marks the file as complete.
    ///
    /// # Errors
    /// If the buffered bytes cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().progress.send_modify(|progress| progress.is_whole = true);
        Ok(())
    }
}

impl SpoolReader {
    /// Reads a part of a file that is complete, from one place to before another.
    pub fn over(file: Arc<File>, from: u64, until: u64) -> Self {
        let (_, progress) = watch::channel(Progress { written: until, is_whole: true });
        Self { file, progress, read: from }
    }

    /// Streams the bytes of the file while they are written.
    ///
    /// # Errors
    /// The stream ends with an error if the writer is dropped before it finishes, or if the file cannot be read.
    pub fn stream(self) -> impl Stream<Item = io::Result<Bytes>> {
        try_unfold(self, |mut reader| async move {
            let piece = reader.next().await?;
            Ok(piece.map(|piece| (piece, reader)))
        })
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let read = self.read;
        let waited = self.progress.wait_for(|progress| progress.written > read || progress.is_whole).await;
        let progress = waited.map(|progress| *progress).map_err(|_| io::Error::other("the file is incomplete"))?;
        if progress.written == read {
            return Ok(None);
        }
        let length = usize::try_from(progress.written - read).unwrap_or(PIECE).min(PIECE);
        let file = Arc::clone(&self.file);
        let piece = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; length];
            file.read_exact_at(&mut piece, read).map(|()| piece)
        });
        let piece = piece.await.map_err(io::Error::other)??;
        self.read += length as u64;
        Ok(Some(piece.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt};

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime")
    }

    #[test]
    fn the_reader_gets_everything_and_then_the_end() {
        runtime().block_on(async {
            let (mut writer, reader) = spool().expect("a file");
            let mut pieces = std::pin::pin!(reader.stream());
            assert!(pieces.next().now_or_never().is_none(), "nothing is written yet");
            let all: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
            writer.write_all(&all).expect("written");
            writer.finish().expect("whole");
            let mut got = Vec::new();
            while let Some(piece) = pieces.next().await {
                got.extend_from_slice(&piece.expect("a piece"));
            }
            assert_eq!(got, all);
        });
    }

    #[test]
    fn a_part_of_a_complete_file_is_read_again() {
        runtime().block_on(async {
            let (mut writer, _reader) = spool().expect("a file");
            let file = writer.file();
            writer.write_all(b"0123456789").expect("written");
            writer.finish().expect("whole");
            for (from, until, expected) in [(0, 10, "0123456789"), (3, 5, "34"), (10, 10, "")] {
                let pieces: Vec<_> = SpoolReader::over(Arc::clone(&file), from, until).stream().collect().await;
                let bytes: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.expect("a piece")).collect();
                assert_eq!(bytes, expected.as_bytes());
            }
        });
    }

    #[test]
    fn a_file_that_is_not_finished_ends_with_an_error() {
        runtime().block_on(async {
            let (mut writer, reader) = spool().expect("a file");
            writer.write_all(b"half").and_then(|()| writer.flush()).expect("written");
            drop(writer);
            let all: Vec<_> = reader.stream().collect().await;
            assert_eq!(all.len(), 2);
            assert!(all[0].is_ok() && all[1].is_err());
        });
    }

    #[test]
    fn the_writer_ends_when_the_reader_is_gone() {
        let (mut writer, reader) = spool().expect("a file");
        drop(reader);
        assert!(writer.write_all(&[0; PIECE * 2]).is_err());
    }
}
