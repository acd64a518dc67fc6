//! The sandbox: before it reads a question the process gives up descriptors, files, the network, other programs and
//! processes. A defect of the SQL engine can then reach only the tables that it was given.

use close_fds::set_fds_cloexec;
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Signal, set_parent_process_death_signal};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The environment variable that is set once the process has executed its own program again.
const STAGE: &str = "PHANANH_ENGINE_STAGE";
/// The first descriptor that is no standard one.
const FIRST_OTHER: i32 = 3;

/// Closes all descriptors but the standard ones: they are marked to be closed, and the process executes its own program
/// again. It ends when the thread that started it does.
///
/// # Errors
/// When the program cannot be executed.
pub fn leave_descriptors() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if std::env::var_os(STAGE).is_some() {
        return Ok(());
    }
    set_fds_cloexec(FIRST_OTHER, &[]);
    let own_arguments = std::env::args_os().skip(1);
    Err(Command::new(std::env::current_exe()?)
        .arg0("phananh-engine")
        .args(own_arguments)
        .env_clear()
        .env(STAGE, "1")
        .exec())
}

/// Forbids everything but computing and the use of the pipes. Call it while the process has one thread.
///
/// # Errors
/// When the kernel refuses a restriction that it knows. A kernel without landlock is no error: seccomp forbids the same
/// calls. A process that reads a lake needs landlock: seccomp cannot tell one file from another.
pub fn enter(lake: Option<&Path>) -> Result<(), String> {
    let status = forbid_files(lake).map_err(|e| format!("landlock: {e}"))?;
    if lake.is_some() && status.ruleset == RulesetStatus::NotEnforced {
        return Err("this kernel has no landlock, which must limit it to the files of the lake".into());
    }
    forbid_calls(lake.is_some()).map_err(|e| format!("seccomp: {e}"))
}

/// Landlock: only files of the lake may be opened, for reading; ports and signals to other processes are forbidden, as
/// far as the kernel knows such rules.
fn forbid_files(lake: Option<&Path>) -> Result<RestrictionStatus, landlock::RulesetError> {
    let abi = ABI::V6;
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .add_rules(path_beneath_rules(lake, AccessFs::from_read(abi)))?
        .restrict_self()
}

/// Seccomp: system calls fail that open, execute, connect, signal or trace.
fn forbid_calls(reads_lake: bool) -> Result<(), String> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(|e| e.to_string())?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = COMMON
        .iter()
        .chain(OLD)
        .filter(|call| !(reads_lake && READS.contains(call)))
        .map(|call| (*call, Vec::new()))
        .collect();
    // A thread that aborts signals itself; signals to others are refused.
    let own = u64::from(std::process::id());
    let to_others = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own);
    let to_others = SeccompRule::new(vec![to_others.map_err(|e| e.to_string())?]).map_err(|e| e.to_string())?;
    rules.insert(libc::SYS_tgkill, vec![to_others]);
    let refuses = SeccompAction::Errno(u32::try_from(libc::EPERM).unwrap_or(1));
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuses, architecture).map_err(|e| e.to_string())?;
    let program: BpfProgram = filter.try_into().map_err(|e: seccompiler::BackendError| e.to_string())?;
    apply_filter_all_threads(&program).map_err(|e| e.to_string())
}

/// The system calls that are forbidden on every architecture.
#[rustfmt::skip]
const COMMON: &[i64] = &[
    // Files.
    libc::SYS_openat, libc::SYS_openat2, libc::SYS_open_by_handle_at, libc::SYS_name_to_handle_at, libc::SYS_mknodat,
    libc::SYS_linkat, libc::SYS_symlinkat, libc::SYS_unlinkat, libc::SYS_mkdirat, libc::SYS_renameat2,
    libc::SYS_truncate, libc::SYS_fchmodat, libc::SYS_fchmod, libc::SYS_fchownat, libc::SYS_fchown,
    libc::SYS_utimensat, libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_readlinkat, libc::SYS_getdents64,
    libc::SYS_chdir, libc::SYS_fchdir, libc::SYS_chroot, libc::SYS_statfs, libc::SYS_statx,
    libc::SYS_getxattr, libc::SYS_setxattr, libc::SYS_listxattr, libc::SYS_removexattr, libc::SYS_inotify_init1,
    libc::SYS_fanotify_init, libc::SYS_memfd_create, libc::SYS_copy_file_range, libc::SYS_sendfile, libc::SYS_quotactl,
    // Mounts and name spaces.
    libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_move_mount, libc::SYS_open_tree,
    libc::SYS_fsopen, libc::SYS_fsmount, libc::SYS_unshare, libc::SYS_setns, libc::SYS_swapon, libc::SYS_swapoff,
    // The network.
    libc::SYS_socket, libc::SYS_socketpair, libc::SYS_connect, libc::SYS_bind, libc::SYS_listen,
    libc::SYS_accept, libc::SYS_accept4, libc::SYS_sendto, libc::SYS_sendmsg, libc::SYS_sendmmsg,
    libc::SYS_recvfrom, libc::SYS_recvmsg, libc::SYS_recvmmsg,
    // Programs and processes.
    libc::SYS_execve, libc::SYS_execveat, libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev,
    libc::SYS_kill, libc::SYS_tkill, libc::SYS_pidfd_open, libc::SYS_pidfd_send_signal, libc::SYS_pidfd_getfd,
    libc::SYS_kcmp, libc::SYS_setpriority,
    // Rights and the kernel.
    libc::SYS_setuid, libc::SYS_setgid, libc::SYS_setresuid, libc::SYS_setresgid, libc::SYS_setgroups,
    libc::SYS_capset, libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_userfaultfd, libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter, libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_request_key, libc::SYS_init_module,
    libc::SYS_finit_module, libc::SYS_kexec_load, libc::SYS_reboot, libc::SYS_personality, libc::SYS_acct,
    // Memory and queues that processes share.
    libc::SYS_shmget, libc::SYS_shmat, libc::SYS_msgget, libc::SYS_semget, libc::SYS_mq_open,
];

/// The system calls of a process that reads a lake; landlock restricts their files.
const READS: &[i64] = &[libc::SYS_openat, libc::SYS_statx, libc::SYS_readlinkat, libc::SYS_getdents64];

/// Further system calls of one architecture.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLD: &[i64] = &[
    libc::SYS_open, libc::SYS_creat, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink,
    libc::SYS_getdents, libc::SYS_link, libc::SYS_symlink, libc::SYS_unlink, libc::SYS_mkdir, libc::SYS_rmdir,
    libc::SYS_rename, libc::SYS_renameat, libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown, libc::SYS_mknod,
    libc::SYS_newfstatat, libc::SYS_vfork,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[i64] = &[];
