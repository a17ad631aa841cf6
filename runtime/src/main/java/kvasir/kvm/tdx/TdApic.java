package kvasir.kvm.tdx;

import java.util.OptionalLong;
import kvasir.kvm.irqchip.IrqChip;
import kvasir.kvm.irqchip.LocalApic;
import kvasir.metal.tdx.VirtualApic;

/** The local APIC of one TD vCPU, x2APIC mode from the start; of the split irqchip it is KVM's part. */
final class TdApic implements VirtualApic {
    private static final long X2APIC = 1 << 10;

    private final IrqChip chip;
    private final LocalApic apic;

    TdApic(IrqChip chip, int id, int physicalBits) {
        this.chip = chip;
        apic = chip.addLocalApic(id, physicalBits, id == 0);
        apic.writeBase(apic.base() | X2APIC);
    }

    long base() {
        return apic.base();
    }

    long tscDeadline() {
        return apic.tscDeadline();
    }

    void tscDeadline(long value, long at) {
        apic.tscDeadline(value, at);
    }

    @Override
    public OptionalLong read(int msr, long now) {
        return apic.readMsr(msr, now);
    }

    @Override
    public boolean write(int msr, long value, long now) {
        return apic.writeMsr(msr, value, now);
    }

    @Override
    public boolean interrupting(long now) {
        chip.advance(now);
        return chip.interrupting(apic);
    }

    @Override
    public int acknowledge() {
        return chip.acknowledge(apic);
    }

    @Override
    public long deadline() {
        return chip.deadline();
    }
}
