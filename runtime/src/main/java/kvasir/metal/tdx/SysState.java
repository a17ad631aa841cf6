package kvasir.metal.tdx;

/** Global state of the module (section "TDH.SYS" of the ABI). */
public enum SysState {
    SYSINIT_PENDING,
    SYSINIT_DONE,
    SYSCONFIG_DONE,
    SYS_READY,
    SYS_SHUTDOWN
}
