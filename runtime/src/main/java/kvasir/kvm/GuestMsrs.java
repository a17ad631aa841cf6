package kvasir.kvm;

import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Supplier;
import kvasir.kvm.MsrTable.Keeper;
import kvasir.kvm.MsrTable.Row;
import kvasir.metal.cpu.CpuidModel;

/**
 * MSRs that the processor does not keep and KVM emulates (x86.c, kvm_get_msr_common and kvm_set_msr_common; mtrr.c). Which
 * there are, and what may be written, is told by {@link MsrTable}.
 */
public final class GuestMsrs {
    private static final int K7_HWCR = 0xc001_0015;
    private static final int MTRR_DEF_TYPE = 0x2ff;
    private static final int MISC_FEATURES_ENABLES = 0x140;

    /** FFDIS, IGNNE and TLBCACHEDIS, which guests write and KVM forgets. */
    private static final long HWCR_DROPPED = 0x148;

    private static final long HWCR_KEPT = 0x104_0000;

    private final Supplier<CpuidModel> model;
    private TreeMap<Integer, Long> values = new TreeMap<>();
    private final MachineCheck machineCheck = new MachineCheck();

    /** @param model the guest's processor as KVM_SET_CPUID2 last told it */
    public GuestMsrs(Supplier<CpuidModel> model) {
        this.model = model;
    }

    private Row row(int index) {
        return MsrTable.row(index)
                .filter(row -> row.keeper() == Keeper.KVM && row.in(model.get()))
                .orElse(NONE);
    }

    private static final Row NONE = new Row(0, "", "all", 0, MsrTable.Write.NO, 0, Keeper.CPU, "");

    /** The value; empty if the guest must get #GP. */
    public OptionalLong value(int index) {
        Row row = row(index);
        if (row == NONE) {
            return machineCheck.read(index);
        }
        return row.write() == MsrTable.Write.COMMAND
                ? OptionalLong.empty()
                : OptionalLong.of(values.getOrDefault(index, MsrTable.reset(row, model.get())));
    }

    /** WRMSR; false if the guest must get #GP. */
    public boolean write(int index, long value) {
        Row row = row(index);
        if (row == NONE) {
            return machineCheck.write(index, value);
        }
        long stored = value;
        boolean good = switch (row.write()) {
            case MASK -> (value & ~row.mask()) == 0 && (index != MTRR_DEF_TYPE || memoryType((int) value & 0xff));
            case TYPES -> memoryTypes(value);
            case RANGE -> variableRange(index, value);
            case NO -> false;
            case IGNORED -> {
                stored = this.value(index).orElse(0);
                yield true;
            }
            case COMMAND -> (value & ~row.mask()) == 0;
            case KEEPS -> {
                stored = value & row.mask() | this.value(index).orElse(0) & ~row.mask();
                yield true;
            }
            case OWN -> {
                stored = value & HWCR_KEPT;
                yield index == K7_HWCR && (value & ~(HWCR_KEPT | HWCR_DROPPED)) == 0;
            }
        };
        if (good && row.write() != MsrTable.Write.COMMAND) {
            values.put(index, stored);
        }
        return good;
    }

    /** KVM_SET_MSRS: also what a guest cannot write. False if there is no such register. */
    boolean hostWrite(int index, long value) {
        Row row = row(index);
        boolean fixed = row.write() == MsrTable.Write.NO || row.write() == MsrTable.Write.IGNORED;
        if (row == NONE || !fixed) {
            return write(index, value);
        }
        values.put(index, value);
        return true;
    }

    /** MISC_FEATURES_ENABLES.CPUID_FAULT: CPUID is for ring 0. */
    boolean cpuidFaults() {
        return (values.getOrDefault(MISC_FEATURES_ENABLES, 0L) & 1) != 0;
    }

    private static boolean memoryType(int type) {
        return type == 0 || type == 1 || type >= 4 && type <= 6;
    }

    private static boolean memoryTypes(long value) {
        for (int shift = 0; shift < 64; shift += 8) {
            if (!memoryType((int) (value >>> shift) & 0xff)) {
                return false;
            }
        }
        return true;
    }

    /** Even indices are bases with a type, odd ones masks with a valid bit. */
    private boolean variableRange(int index, long value) {
        boolean base = (index & 1) == 0;
        long reserved = -1L << model.get().physicalBits() | (base ? 0xf00 : 0x7ff);
        return (value & reserved) == 0 && (!base || memoryType((int) value & 0xff));
    }

    /** KVM_X86_SETUP_MCE; false is EINVAL. */
    MachineCheck machineCheck() {
        return machineCheck;
    }

    boolean setupMachineCheck(long cap, boolean intel) {
        return machineCheck.setup(cap, intel);
    }

    /** The fields as they are, as an action that puts them back. */
    public Runnable checkpoint() {
        var saved = new TreeMap<>(values);
        Runnable savedMachineCheck = machineCheck.checkpoint();
        return () -> {
            values = new TreeMap<>(saved);
            savedMachineCheck.run();
        };
    }
}
