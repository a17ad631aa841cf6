package kvasir.metal.cpu;

/**
 * Why a processor came back to its hypervisor. Unless a component says otherwise the instruction that caused it has not
 * happened: RIP points at it, and {@link Cpu#skip()} steps over it once the hypervisor has done its work.
 */
public sealed interface VmExit {
    /** HLT has retired: RIP is behind it. */
    record Hlt() implements VmExit {}

    /** PAUSE, if {@link Cpu#interceptPause(boolean)} asks for it; it has retired. */
    record Pause() implements VmExit {}

    /**
     * IN, OUT, INS or OUTS, one element. The hypervisor ends it with {@link Cpu#completeOut()} or
     * {@link Cpu#completeIn(int)}.
     *
     * @param port 0 to 0xffff
     * @param bytes 1, 2 or 4
     * @param in true for IN and INS
     * @param string true for INS and OUTS
     * @param value what OUT or OUTS writes, zero extended; 0 for IN
     */
    record Io(int port, int bytes, boolean in, boolean string, int value) implements VmExit {}

    /**
     * Intel SDM, "EPT violations", exit reason 48.
     *
     * @param gpa guest-physical address
     * @param linear guest-linear address, meaningful if bit 7 of the qualification is set
     * @param qualification Intel SDM, "Exit qualification for EPT violations"
     */
    record EptViolation(long gpa, long linear, long qualification) implements VmExit {}

    /**
     * Intel SDM, "EPT misconfigurations", exit reason 49.
     *
     * @param gpa guest-physical address
     */
    record EptMisconfig(long gpa) implements VmExit {}

    /**
     * Intel SDM, page-modification log-full event, exit reason 62. No flag was set.
     *
     * @param gpa of the access that would have been logged
     */
    record LogFull(long gpa) implements VmExit {}

    /**
     * AMD APM volume 2, VMEXIT_NPF.
     *
     * @param gpa EXITINFO2
     * @param errorCode EXITINFO1
     * @param linear guest-linear address that was being translated; real hardware does not report it
     */
    record NestedPageFault(long gpa, long errorCode, long linear) implements VmExit {}

    /** CPUID, if {@link Cpu#interceptCpuid(boolean)} asks for it; the leaf is in EAX, the subleaf in ECX. */
    record Cpuid(int leaf, int subleaf) implements VmExit {}

    /** RDMSR of a register that the processor does not keep itself. */
    record Rdmsr(int index) implements VmExit {}

    /** WRMSR of a register that the processor does not keep itself. */
    record Wrmsr(int index, long value) implements VmExit {}

    /**
     * VMCALL or VMMCALL; the ABI's registers tell the rest.
     *
     * @param vmmcall true for AMD's opcode
     */
    record Hypercall(boolean vmmcall) implements VmExit {}

    /** TDCALL (Intel TDX); the leaf is in RAX. */
    record Tdcall() implements VmExit {}

    /**
     * A write to CR0 or CR4 that the {@link ControlGuard} does not let through; the instruction has not happened.
     *
     * @param register 0 or 4
     */
    record ControlWrite(int register) implements VmExit {}

    /** VMGEXIT (AMD SEV-ES); the GHCB MSR tells the rest. */
    record Vmgexit() implements VmExit {}

    /** RSM, if {@link Cpu#interceptRsm(boolean)} asks for it; what leaving system-management mode loads is KVM's to load. */
    record Rsm() implements VmExit {}

    /**
     * Intel SDM, bus-lock assertion, exit reason 74, if {@link Cpu#interceptBusLocks(boolean)} asks for it; the
     * instruction has retired.
     */
    record BusLock() implements VmExit {}

    /**
     * MOV to CR8, if {@link Cpu#interceptCr8(boolean)} asks for it; it has retired.
     *
     * @param before what CR8 was
     * @param value what it is now
     */
    record Cr8Write(int before, int value) implements VmExit {}

    /** Shutdown: an exception while delivering a double fault. */
    record TripleFault() implements VmExit {}

    /** The instruction budget is used up; the state is precise. */
    record Budget() implements VmExit {}

    /** {@link Cpu#kick()} was called. */
    record Interrupted() implements VmExit {}

    /**
     * A #DB or #BP that {@link Cpu#interceptDebug} keeps from the guest; RIP is where the exception would have it pushed,
     * for #BP the INT3 itself.
     *
     * @param vector 1 or 3
     * @param conditions as DR6 would show them, without its constant bits
     */
    record Debug(int vector, int conditions) implements VmExit {}

    /** Why {@link Stopped}. */
    enum Stop {
        /** One instruction was run. */
        STEP,
        /** The next instruction has a breakpoint. */
        BREAK,
        /** The previous instruction touched a watched address. */
        WATCH
    }

    /**
     * The debugger outside the machine asked to be told.
     *
     * @param linear address of the breakpoint or watchpoint
     * @param pc linear address of the next instruction
     */
    record Stopped(Stop stop, long linear, long pc) implements VmExit {}

    /** The guest can take the event for which a window was requested: an external interrupt or an NMI. */
    record InterruptWindow() implements VmExit {}

    /** {@link Cpu#emulate} executed its one instruction (or delivered its exception to the guest). */
    record Emulated() implements VmExit {}

    /**
     * {@link Cpu#emulate} met a read for which the bus has no data yet; the instruction has not happened.
     *
     * @param gpa guest-physical address
     * @param bytes 1, 2, 4, 8, 16 or 32
     */
    record MmioPending(long gpa, int bytes) implements VmExit {}

    /**
     * The machine was asked for something that is not modelled.
     *
     * @param what one sentence naming it
     */
    record Unsupported(String what) implements VmExit {}
}
