//! The Pod Security Standards as a table: every control, its fields, and for values of these fields whether each profile
//! allows a pod that has them and is otherwise as strict as can be. Written from the definition that Kubernetes publishes
//! and from what its own admission plugin does with it (policy version 1.36), not from the policies that are tested by it.

/// What one profile says of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Profiles {
    pub baseline: bool,
    pub restricted: bool,
}

pub(crate) const BOTH: Profiles = Profiles { baseline: true, restricted: true };
/// Allowed by baseline, refused by restricted.
pub(crate) const BASELINE: Profiles = Profiles { baseline: true, restricted: false };
pub(crate) const NEITHER: Profiles = Profiles { baseline: false, restricted: false };

/// A field that is not there.
pub(crate) const ABSENT: &str = "";

/// One row: the fields, one value each time, and who allows it.
pub(crate) struct Row {
    pub control: &'static str,
    /// Keys with blanks between them; `*` is each list of containers (their first one), `[]` a list of one item.
    pub fields: &'static [&'static str],
    /// As JSON.
    pub values: &'static [&'static str],
    pub allowed_by: Profiles,
    /// What else is set, before the field.
    pub with: &'static [(&'static str, &'static str)],
}

const fn row(
    control: &'static str,
    fields: &'static [&'static str],
    values: &'static [&'static str],
    allowed_by: Profiles,
) -> Row {
    Row { control, fields, values, allowed_by, with: &[] }
}

const fn row_with(
    control: &'static str,
    with: &'static [(&'static str, &'static str)],
    fields: &'static [&'static str],
    values: &'static [&'static str],
    allowed_by: Profiles,
) -> Row {
    Row { control, fields, values, allowed_by, with }
}

const WINDOWS: (&str, &str) = ("spec os name", r#""windows""#);
const OWN_USERS: (&str, &str) = ("spec hostUsers", "false");

const HOST_PROCESS: &[&str] =
    &["spec securityContext windowsOptions hostProcess", "spec * securityContext windowsOptions hostProcess"];
const HOST_NAMESPACES: &[&str] = &["spec hostNetwork", "spec hostPID", "spec hostIPC"];
const PRIVILEGED: &[&str] = &["spec * securityContext privileged"];
const ADD: &[&str] = &["spec * securityContext capabilities add"];
const DROP: &[&str] = &["spec * securityContext capabilities drop"];
const HOST_PATH: &[&str] = &["spec volumes [] hostPath"];
const HOST_PORT: &[&str] = &["spec * ports [] hostPort"];
const HOST_OF_PROBE: &[&str] = &[
    "spec * livenessProbe httpGet host",
    "spec * livenessProbe tcpSocket host",
    "spec * readinessProbe httpGet host",
    "spec * readinessProbe tcpSocket host",
    "spec * startupProbe httpGet host",
    "spec * startupProbe tcpSocket host",
    "spec * lifecycle postStart httpGet host",
    "spec * lifecycle postStart tcpSocket host",
    "spec * lifecycle preStop httpGet host",
    "spec * lifecycle preStop tcpSocket host",
];
const APP_ARMOR: &[&str] =
    &["spec securityContext appArmorProfile type", "spec * securityContext appArmorProfile type"];
const APP_ARMOR_NOTE: &[&str] = &["metadata annotations container.apparmor.security.beta.kubernetes.io/app"];
const SELINUX_TYPE: &[&str] =
    &["spec securityContext seLinuxOptions type", "spec * securityContext seLinuxOptions type"];
const SELINUX_WHO: &[&str] = &[
    "spec securityContext seLinuxOptions user",
    "spec * securityContext seLinuxOptions user",
    "spec securityContext seLinuxOptions role",
    "spec * securityContext seLinuxOptions role",
];
const PROC_MOUNT: &[&str] = &["spec * securityContext procMount"];
const SECCOMP: &[&str] = &["spec securityContext seccompProfile type", "spec * securityContext seccompProfile type"];
const SECCOMP_OF_POD: (&str, &str) = ("spec securityContext seccompProfile", ABSENT);
const SYSCTL: &[&str] = &["spec securityContext sysctls [] name"];
const ESCALATION: &[&str] = &["spec * securityContext allowPrivilegeEscalation"];
const NON_ROOT_OF_POD: &str = "spec securityContext runAsNonRoot";
const NON_ROOT: &str = "spec * securityContext runAsNonRoot";
const USER: &[&str] = &["spec securityContext runAsUser", "spec * securityContext runAsUser"];

const UNSAID: &[&str] = &[ABSENT, "null"];
const NO: &[&str] = &[ABSENT, "null", "false"];
const YES: &[&str] = &["true"];

pub(crate) const STANDARD: &[Row] = &[
    row("HostProcess", HOST_PROCESS, NO, BOTH),
    row("HostProcess", HOST_PROCESS, YES, NEITHER),
    row("Host Namespaces", HOST_NAMESPACES, NO, BOTH),
    row("Host Namespaces", HOST_NAMESPACES, YES, NEITHER),
    row("Privileged Containers", PRIVILEGED, NO, BOTH),
    row("Privileged Containers", PRIVILEGED, YES, NEITHER),
    row("Capabilities", ADD, &[ABSENT, "null", "[]", r#"["NET_BIND_SERVICE"]"#], BOTH),
    row(
        "Capabilities",
        ADD,
        &[
            r#"["AUDIT_WRITE"]"#,
            r#"["CHOWN"]"#,
            r#"["DAC_OVERRIDE"]"#,
            r#"["FOWNER"]"#,
            r#"["FSETID"]"#,
            r#"["KILL"]"#,
            r#"["MKNOD"]"#,
            r#"["SETFCAP"]"#,
            r#"["SETGID"]"#,
            r#"["SETPCAP"]"#,
            r#"["SETUID"]"#,
            r#"["SYS_CHROOT"]"#,
            r#"["NET_BIND_SERVICE", "CHOWN"]"#,
        ],
        BASELINE,
    ),
    row(
        "Capabilities",
        ADD,
        &[
            r#"["NET_RAW"]"#,
            r#"["SYS_ADMIN"]"#,
            r#"["ALL"]"#,
            r#"["CHOWN", "NET_ADMIN"]"#,
            r#"["net_raw"]"#,
            r#"["CAP_SYS_ADMIN"]"#,
        ],
        NEITHER,
    ),
    row("Capabilities", DROP, &[r#"["ALL"]"#, r#"["NET_RAW", "ALL"]"#], BOTH),
    row("Capabilities", DROP, &[ABSENT, "null", "[]", r#"["NET_RAW"]"#, r#"["all"]"#], BASELINE),
    row("Capabilities", &["spec * securityContext capabilities", "spec * securityContext"], UNSAID, BASELINE),
    row_with("Capabilities", &[WINDOWS], DROP, UNSAID, BOTH),
    row("HostPath Volumes", HOST_PATH, &[r#"{"path": "/"}"#, r#"{"path": "/var/log", "type": "Directory"}"#], NEITHER),
    row("Host Ports", HOST_PORT, &[ABSENT, "null", "0"], BOTH),
    row("Host Ports", HOST_PORT, &["80", "65535"], NEITHER),
    row("Host Probes / Lifecycle Hooks", HOST_OF_PROBE, &[ABSENT, "null", r#""""#], BOTH),
    row("Host Probes / Lifecycle Hooks", HOST_OF_PROBE, &[r#""127.0.0.1""#, r#""node.example""#], NEITHER),
    row("AppArmor", APP_ARMOR, &[ABSENT, r#""RuntimeDefault""#, r#""Localhost""#], BOTH),
    row("AppArmor", APP_ARMOR, &[r#""Unconfined""#], NEITHER),
    row("AppArmor", APP_ARMOR_NOTE, &[ABSENT, r#""""#, r#""runtime/default""#, r#""localhost/shop""#], BOTH),
    row("AppArmor", APP_ARMOR_NOTE, &[r#""unconfined""#, r#""localhost""#], NEITHER),
    row(
        "SELinux",
        SELINUX_TYPE,
        &[
            ABSENT,
            "null",
            r#""""#,
            r#""container_t""#,
            r#""container_init_t""#,
            r#""container_kvm_t""#,
            r#""container_engine_t""#,
        ],
        BOTH,
    ),
    row("SELinux", SELINUX_TYPE, &[r#""spc_t""#, r#""unconfined_t""#], NEITHER),
    row("SELinux", SELINUX_WHO, &[ABSENT, "null", r#""""#], BOTH),
    row("SELinux", SELINUX_WHO, &[r#""system_u""#, r#""sysadm_r""#], NEITHER),
    row("/proc Mount Type", PROC_MOUNT, &[ABSENT, "null", r#""Default""#], BOTH),
    row("/proc Mount Type", PROC_MOUNT, &[r#""Unmasked""#], NEITHER),
    row_with("/proc Mount Type", &[OWN_USERS], PROC_MOUNT, &[r#""Unmasked""#], BASELINE),
    row_with("/proc Mount Type", &[("spec hostUsers", "true")], PROC_MOUNT, &[r#""Unmasked""#], NEITHER),
    row("Seccomp", SECCOMP, &[r#""RuntimeDefault""#, r#""Localhost""#], BOTH),
    row("Seccomp", SECCOMP, &[r#""Unconfined""#], NEITHER),
    row("Seccomp", &["spec securityContext seccompProfile", "spec * securityContext seccompProfile"], UNSAID, BOTH),
    row_with("Seccomp", &[SECCOMP_OF_POD], &["spec * securityContext seccompProfile"], UNSAID, BASELINE),
    row_with("Seccomp", &[SECCOMP_OF_POD, WINDOWS], &["spec * securityContext seccompProfile"], UNSAID, BOTH),
    row(
        "Sysctls",
        SYSCTL,
        &[
            r#""kernel.shm_rmid_forced""#,
            r#""net.ipv4.ip_local_port_range""#,
            r#""net.ipv4.ip_unprivileged_port_start""#,
            r#""net.ipv4.tcp_syncookies""#,
            r#""net.ipv4.ping_group_range""#,
            r#""net.ipv4.ip_local_reserved_ports""#,
            r#""net.ipv4.tcp_keepalive_time""#,
            r#""net.ipv4.tcp_fin_timeout""#,
            r#""net.ipv4.tcp_keepalive_intvl""#,
            r#""net.ipv4.tcp_keepalive_probes""#,
            r#""net.ipv4.tcp_rmem""#,
            r#""net.ipv4.tcp_wmem""#,
        ],
        BOTH,
    ),
    row(
        "Sysctls",
        SYSCTL,
        &[r#""kernel.msgmax""#, r#""net.core.somaxconn""#, r#""net.ipv4.ip_forward""#, r#""kernel/shm_rmid_forced""#],
        NEITHER,
    ),
    row(
        "Volume Types",
        &[
            "spec volumes [] configMap",
            "spec volumes [] csi",
            "spec volumes [] downwardAPI",
            "spec volumes [] emptyDir",
            "spec volumes [] ephemeral",
            "spec volumes [] image",
            "spec volumes [] persistentVolumeClaim",
            "spec volumes [] projected",
            "spec volumes [] secret",
        ],
        &["{}", r#"{"name": "shop"}"#],
        BOTH,
    ),
    row(
        "Volume Types",
        &[
            "spec volumes [] awsElasticBlockStore",
            "spec volumes [] azureDisk",
            "spec volumes [] azureFile",
            "spec volumes [] cephfs",
            "spec volumes [] cinder",
            "spec volumes [] fc",
            "spec volumes [] flexVolume",
            "spec volumes [] flocker",
            "spec volumes [] gcePersistentDisk",
            "spec volumes [] gitRepo",
            "spec volumes [] glusterfs",
            "spec volumes [] iscsi",
            "spec volumes [] nfs",
            "spec volumes [] photonPersistentDisk",
            "spec volumes [] portworxVolume",
            "spec volumes [] quobyte",
            "spec volumes [] rbd",
            "spec volumes [] scaleIO",
            "spec volumes [] storageos",
            "spec volumes [] vsphereVolume",
        ],
        &[r#"{"server": "files.example"}"#],
        BASELINE,
    ),
    row("Privilege Escalation", ESCALATION, &["false"], BOTH),
    row("Privilege Escalation", ESCALATION, &[ABSENT, "null", "true"], BASELINE),
    row_with("Privilege Escalation", &[WINDOWS], ESCALATION, UNSAID, BOTH),
    row("Running as Non-root", &[NON_ROOT_OF_POD, NON_ROOT], &[ABSENT, "null", "true"], BOTH),
    row("Running as Non-root", &[NON_ROOT_OF_POD, NON_ROOT], &["false"], BASELINE),
    row_with("Running as Non-root", &[(NON_ROOT_OF_POD, ABSENT)], &[NON_ROOT], UNSAID, BASELINE),
    row_with("Running as Non-root", &[(NON_ROOT_OF_POD, ABSENT), WINDOWS], &[NON_ROOT], UNSAID, BASELINE),
    row_with("Running as Non-root", &[(NON_ROOT_OF_POD, ABSENT), OWN_USERS], &[NON_ROOT], &[ABSENT, "false"], BOTH),
    row("Running as Non-root user", USER, &[ABSENT, "null", "1", "65534"], BOTH),
    row("Running as Non-root user", USER, &["0"], BASELINE),
    row_with("Running as Non-root user", &[OWN_USERS], USER, &["0"], BOTH),
];
