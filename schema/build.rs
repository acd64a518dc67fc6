//! Rebuilds this crate when a migration comes, changes or goes: `embed_migrations!` reads the folders at compile time,
//! but the compiler watches only the files that it has seen.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
