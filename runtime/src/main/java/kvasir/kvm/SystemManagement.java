package kvasir.kvm;

import java.util.OptionalLong;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.Segment;

/**
 * System-management mode, which no guest's processor has by itself: KVM enters and leaves it (smm.c, 6.16, enter_smm and
 * emulator_leave_smm; x86.c, process_smi and kvm_check_and_inject_events).
 */
public final class SystemManagement {
    /** Guests can read it in SMM only, and never write it. */
    public static final int IA32_SMBASE = 0x9e;

    /** How often SMM was entered. */
    private static final int SMI_COUNT = 0x34;

    private static final long SMBASE_AT_RESET = 0x3_0000;
    private static final int SAVE_AREA = 0xfe00;
    private static final int ENTRY = 0x8000;
    private static final long CR0_CLEARED = 0x8000_000dL;
    private static final int EFER = 0xc000_0080;
    private static final int CODE_OR_DATA = 0x8093;

    private final Vcpu vcpu;
    private long smbase = SMBASE_AT_RESET;
    private long count;
    private boolean active;
    private boolean pending;

    /** NMIs were blocked when SMM was entered, so RSM leaves them blocked (HF_SMM_INSIDE_NMI_MASK). */
    private boolean insideNmi;

    SystemManagement(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    private Cpu cpu() {
        return vcpu.cpu();
    }

    /** is_smm. */
    public boolean active() {
        return active;
    }

    /** An SMI has arrived and has not been taken. */
    public boolean pending() {
        return pending;
    }

    /** Where SMRAM begins. */
    public long smbase() {
        return smbase;
    }

    /** INIT or RESET of the vCPU leave no SMI behind. */
    void reset() {
        count = 0;
        pending = false;
    }

    /** kvm_smm_changed. */
    public void change(boolean entering) {
        active = entering;
        insideNmi &= entering;
        cpu().interceptRsm(entering);
        if (vcpu.vm().events().listening()) {
            vcpu.vm().events().emit(new VcpuEvent.SmmTransition(name(), smbase, entering));
        }
    }

    private String name() {
        return vcpu.vm().name() + ".vcpu" + vcpu.id();
    }

    /** The smi part of struct kvm_vcpu_events. */
    void tell(AbiStruct events) {
        if (vcpu.requests().check(Requests.SMI)) {
            pending = true;
        }
        events.set("smi.smm", active);
        events.set("smi.pending", pending);
        events.set("smi.smm_inside_nmi", insideNmi);
    }

    /** The smi part of KVM_SET_VCPU_EVENTS. */
    void set(AbiStruct events) {
        boolean wanted = events.is("smi.smm");
        if (wanted != active) {
            change(wanted);
        }
        pending = events.is("smi.pending");
        insideNmi = wanted && events.is("smi.smm_inside_nmi");
    }

    /** Before the guest is entered: takes an SMI that may be taken. Events that were being delivered go first. */
    void service() {
        if (vcpu.requests().check(Requests.SMI)) {
            pending = true;
        }
        if (vcpu.vm().type().hasProtectedState()) {
            return;
        }
        if (!pending || active || vcpu.mpState() != MpState.RUNNABLE && vcpu.mpState() != MpState.HALTED) {
            return;
        }
        if (cpu().injectionPending()) {
            cpu().kick();
            return;
        }
        pending = false;
        count++;
        if (vcpu.mpState() == MpState.HALTED) {
            vcpu.setMpState(MpState.RUNNABLE);
        }
        enter();
    }

    private void enter() {
        byte[] image = SmramImage.save(cpu(), smbase);
        change(true);
        if (!GuestCopy.copy(vcpu, smbase + SAVE_AREA, image, image.length, true)) {
            vcpu.vm().bug("enter_smm: SMRAM at 0x%x cannot be written".formatted(smbase + SAVE_AREA));
            return;
        }
        insideNmi = cpu().nmiBlocked();
        cpu().blockNmis(true);
        cpu().setInterruptShadow(0);
        cpu().setCr(0, cpu().cr(0) & ~CR0_CLEARED);
        cpu().setCr(4, 0);
        cpu().setMsr(EFER, 0);
        cpu().setIdtr(new DescriptorTable(0, 0));
        cpu().setDr(7, SmramImage.DR7_FIXED);
        var data = new Segment(0, 0, -1, CODE_OR_DATA);
        for (int segment : new int[] {Segment.ES, Segment.SS, Segment.DS, Segment.FS, Segment.GS}) {
            cpu().setSegment(segment, data);
        }
        cpu().setSegment(Segment.CS, new Segment((int) (smbase >> 4) & 0xffff, smbase, -1, CODE_OR_DATA));
        cpu().setRflags(2);
        cpu().setRip(ENTRY);
    }

    /** RSM; false if the state in SMRAM cannot be loaded, which shuts the processor down. */
    boolean leave() {
        var image = new byte[SmramImage.BYTES];
        if (!GuestCopy.copy(vcpu, smbase + SAVE_AREA, image, image.length, false)) {
            return false;
        }
        if (!insideNmi) {
            cpu().blockNmis(false);
        }
        change(false);
        var saved = new SmramImage(image);
        smbase = saved.smbase();
        return saved.load(cpu(), this::pdpte);
    }

    private OptionalLong pdpte(long gpa) {
        var bytes = new byte[8];
        return GuestCopy.copy(vcpu, gpa, bytes, bytes.length, false)
                ? OptionalLong.of(SmramImage.word(bytes, 0))
                : OptionalLong.empty();
    }

    static boolean ownsMsr(int index) {
        return index == IA32_SMBASE || index == SMI_COUNT;
    }

    /** KVM_GET_MSRS. */
    OptionalLong msr(int index) {
        return OptionalLong.of(index == IA32_SMBASE ? smbase : count);
    }

    /** RDMSR; empty for #GP. */
    OptionalLong guestMsr(int index) {
        return index == IA32_SMBASE && !active ? OptionalLong.empty() : msr(index);
    }

    /** KVM_SET_MSRS; false for another register. A guest's WRMSR is #GP. */
    public boolean setMsr(int index, long value) {
        switch (index) {
            case IA32_SMBASE -> smbase = value & 0xffff_ffffL;
            case SMI_COUNT -> count = value;
            default -> {
                return false;
            }
        }
        return true;
    }

    Runnable checkpoint() {
        long savedBase = smbase;
        long savedCount = count;
        boolean savedActive = active;
        boolean savedPending = pending;
        boolean savedInside = insideNmi;
        return () -> {
            smbase = savedBase;
            count = savedCount;
            active = savedActive;
            pending = savedPending;
            insideNmi = savedInside;
            cpu().interceptRsm(active);
        };
    }
}
