package kvasir.kvm;

import java.util.Optional;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.Injection;
import kvasir.metal.cpu.VmExit;

/**
 * KVM_SET_GUEST_DEBUG of one vCPU and its exit (x86.c, kvm_arch_vcpu_ioctl_set_guest_debug; vmx.c,
 * handle_exception_nmi).
 */
public final class GuestDebug {
    /** struct kvm_guest_debug, control. */
    public static final int ENABLE = 1;

    public static final int SINGLESTEP = 1 << 1;
    public static final int USE_SW_BP = 1 << 16;
    public static final int USE_HW_BP = 1 << 17;
    public static final int INJECT_DB = 1 << 18;
    public static final int INJECT_BP = 1 << 19;
    public static final int BLOCKIRQ = 1 << 20;

    private static final int DB = 1;
    private static final int BP = 3;
    private static final int BS = 1 << 14;

    /** DR6_ACTIVE_LOW. */
    private static final long ALWAYS_SET = 0xffff_0ff0L;

    private final Vcpu vcpu;
    private int control;
    private long[] registers = new long[8];

    GuestDebug(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    /** vcpu-&gt;guest_debug. */
    public int control() {
        return control;
    }

    /** Whether user space asked for no interrupts while it steps. */
    public boolean blocksInterrupts() {
        return (control & BLOCKIRQ) != 0;
    }

    /**
     * The ioctl.
     *
     * @param wanted control
     * @param debugreg eight values, of which 0 to 3 and 7 count, with USE_HW_BP only
     */
    IoctlResult set(int wanted, long[] debugreg) {
        if (vcpu.vm().type().hasProtectedState()) {
            return Check.DEBUG_PROTECTED.refuse("kvm_arch_vcpu_ioctl_set_guest_debug: the guest's state is protected");
        }
        Cpu cpu = vcpu.cpu();
        if ((wanted & (INJECT_DB | INJECT_BP)) != 0) {
            if (cpu.injectionPending()) {
                return Check.DEBUG_PENDING.refuse(
                        "kvm_arch_vcpu_ioctl_set_guest_debug: an exception is pending already");
            }
            cpu.inject(new Injection.GuestException((wanted & INJECT_DB) != 0 ? DB : BP, 0));
        }
        control = (wanted & ENABLE) == 0 ? 0 : wanted;
        registers = debugreg.clone();
        apply();
        return IoctlResult.done();
    }

    /** Makes the processor do what the control word says; to be called when the processor is a new one. */
    void apply() {
        Cpu cpu = vcpu.cpu();
        boolean hardware = (control & USE_HW_BP) != 0;
        boolean step = (control & SINGLESTEP) != 0;
        cpu.forceDebugRegisters(hardware ? Optional.of(registers) : Optional.empty());
        cpu.interceptDebug(hardware || step, (control & USE_SW_BP) != 0);
        cpu.stepEveryInstruction(step);
    }

    /** Whether a stop behind one instruction is user space's, by SINGLESTEP. */
    boolean steps() {
        return (control & SINGLESTEP) != 0;
    }

    /** Fills kvm_run for KVM_EXIT_DEBUG. */
    void exit(VmExit.Debug exit, long pc) {
        long dr7 = (control & USE_HW_BP) != 0 ? registers[7] : vcpu.cpu().dr(7);
        KvmRun run = vcpu.kvmRun();
        if (exit.vector() == DB) {
            run.debug(exit.vector(), pc, exit.conditions() | ALWAYS_SET, dr7);
        } else {
            run.debug(exit.vector(), pc, 0, 0);
        }
    }

    /** What a single step reports. */
    static VmExit.Debug stepped() {
        return new VmExit.Debug(DB, BS);
    }

    Runnable checkpoint() {
        int savedControl = control;
        long[] savedRegisters = registers;
        return () -> {
            control = savedControl;
            registers = savedRegisters;
            apply();
        };
    }
}
