package kvasir.kvm;

import java.util.OptionalLong;

/** Machine-check registers of one vCPU (x86.c, get_msr_mce, set_msr_mce, kvm_vcpu_ioctl_x86_setup_mce; 6.16). */
final class MachineCheck {
    private static final int P5_MC_ADDR = 0;
    private static final int P5_MC_TYPE = 1;
    private static final int MCG_CAP = 0x179;
    private static final int MCG_STATUS = 0x17a;
    private static final int MCG_CTL = 0x17b;
    private static final int MC0_CTL2 = 0x280;
    private static final int MC0_CTL = 0x400;

    private static final int MOST_BANKS = 32;
    private static final int REGISTERS = 4;
    private static final long CTL_P = 1 << 8;
    private static final long CMCI_P = 1 << 10;
    private static final long SER_P = 1 << 24;
    private static final long LMCE_P = 1 << 27;
    private static final long MACHINE_CHECK_IN_PROGRESS = 1 << 2;
    private static final long STATUS_VALID = 1L << 63;
    private static final long STATUS_OVERFLOW = 1L << 62;
    private static final long STATUS_UNCORRECTED = 1L << 61;
    private static final long CTL2_BITS = 1L << 30 | 0x7fff;

    /** Linux of old left bit 10 of bank 4 clear on AMD processors, and bit 0 of bank 0 on Intel's. */
    private static final long TOLERATED = 1 << 10 | 1;

    private long cap = MOST_BANKS;
    private long status;
    private long ctl;
    private long[] banks = new long[MOST_BANKS * REGISTERS];
    private long[] ctl2 = new long[MOST_BANKS];

    /** KVM_X86_SETUP_MCE; false is EINVAL. */
    boolean setup(long wanted, boolean intel) {
        long known = CTL_P | SER_P | (intel ? CMCI_P | LMCE_P : 0);
        long count = wanted & 0xff;
        if (count == 0 || count > MOST_BANKS || (wanted & ~(known | 0xff | 0xff_0000)) != 0) {
            return false;
        }
        cap = wanted;
        if ((cap & CTL_P) != 0) {
            ctl = -1;
        }
        for (int bank = 0; bank < count; bank++) {
            banks[bank * REGISTERS] = -1;
            if ((cap & CMCI_P) != 0) {
                ctl2[bank] = 0;
            }
        }
        return true;
    }

    /** What KVM_X86_SET_MCE has the vCPU do. */
    enum Raised {
        REFUSED,
        NOTHING,
        MACHINE_CHECK,
        TRIPLE_FAULT
    }

    /**
     * KVM_X86_SET_MCE: an error is recorded in a bank; an uncorrected one is told to the guest
     * (kvm_vcpu_ioctl_x86_set_mce).
     *
     * @param enabled CR4.MCE
     */
    Raised set(long bank, long bankStatus, long address, long misc, long globalStatus, boolean enabled) {
        if (Long.compareUnsigned(bank, count()) >= 0 || (bankStatus & STATUS_VALID) == 0) {
            return Raised.REFUSED;
        }
        int at = (int) bank * REGISTERS;
        boolean uncorrected = (bankStatus & STATUS_UNCORRECTED) != 0;
        boolean reported = ((cap & CTL_P) == 0 || ctl == -1) && banks[at] == -1;
        if (uncorrected && !reported) {
            return Raised.NOTHING;
        }
        if (uncorrected && ((status & MACHINE_CHECK_IN_PROGRESS) != 0 || !enabled)) {
            return Raised.TRIPLE_FAULT;
        }
        boolean occupied = (banks[at + 1] & STATUS_VALID) != 0;
        if (!uncorrected && occupied && (banks[at + 1] & STATUS_UNCORRECTED) != 0) {
            banks[at + 1] |= STATUS_OVERFLOW;
            return Raised.NOTHING;
        }
        banks[at + 2] = address;
        banks[at + 3] = misc;
        banks[at + 1] = bankStatus | (occupied ? STATUS_OVERFLOW : 0);
        if (!uncorrected) {
            return Raised.NOTHING;
        }
        status = globalStatus;
        return Raised.MACHINE_CHECK;
    }

    private int count() {
        return (int) cap & 0xff;
    }

    /** Index among {@link #banks}, or -1. */
    private int bankRegister(int msr) {
        int at = msr - MC0_CTL;
        return at >= 0 && at < count() * REGISTERS ? at : -1;
    }

    private int bankOfCtl2(int msr) {
        int bank = msr - MC0_CTL2;
        return bank >= 0 && bank < count() && (cap & CMCI_P) != 0 ? bank : -1;
    }

    /** The value; empty if it is none of these registers, or one that the guest must not read. */
    OptionalLong read(int msr) {
        return switch (msr) {
            case P5_MC_ADDR, P5_MC_TYPE -> OptionalLong.of(0);
            case MCG_CAP -> OptionalLong.of(cap);
            case MCG_STATUS -> OptionalLong.of(status);
            case MCG_CTL -> (cap & CTL_P) != 0 ? OptionalLong.of(ctl) : OptionalLong.empty();
            default -> {
                if (bankRegister(msr) >= 0) {
                    yield OptionalLong.of(banks[bankRegister(msr)]);
                }
                yield bankOfCtl2(msr) >= 0 ? OptionalLong.of(ctl2[bankOfCtl2(msr)]) : OptionalLong.empty();
            }
        };
    }

    /** WRMSR by the guest; false if it is none of these registers, or must be #GP. */
    boolean write(int msr, long value) {
        int register = bankRegister(msr);
        int bank = bankOfCtl2(msr);
        boolean allOrNothing = value == 0 || value == -1;
        if (msr == MCG_STATUS) {
            status = value;
            return true;
        }
        if (msr == MCG_CTL && (cap & CTL_P) != 0 && allOrNothing) {
            ctl = value;
            return true;
        }
        if (bank >= 0 && (value & ~CTL2_BITS) == 0) {
            ctl2[bank] = value;
            return true;
        }
        boolean isControl = register >= 0 && register % REGISTERS == 0;
        boolean isStatus = register >= 0 && register % REGISTERS == 1;
        if (register < 0 || isControl && value != 0 && (value | TOLERATED) != -1 || isStatus && value != 0) {
            return false;
        }
        banks[register] = value;
        return true;
    }

    Runnable checkpoint() {
        long savedCap = cap;
        long savedStatus = status;
        long savedCtl = ctl;
        long[] savedBanks = banks.clone();
        long[] savedCtl2 = ctl2.clone();
        return () -> {
            cap = savedCap;
            status = savedStatus;
            ctl = savedCtl;
            banks = savedBanks.clone();
            ctl2 = savedCtl2.clone();
        };
    }
}
