package kvasir.kvm.irqchip;

import java.util.function.ObjLongConsumer;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;

/** The 82093AA I/O APIC with 24 pins at FEC0_0000h (data sheet; KVM's ioapic.c). */
final class IoApic {
    static final long BASE = 0xfec0_0000L;
    static final int PINS = 24;

    private static final int VERSION = 0x17_0011;
    private static final long MASKED = 1L << 16;
    private static final long LEVEL = 1L << 15;
    private static final long REMOTE_IRR = 1L << 14;
    private static final long PENDING = 1L << 12;
    private static final long WRITABLE = ~(REMOTE_IRR | PENDING);

    private final long[] redirection = new long[PINS];
    private final ToIntFunction<InterruptMessage> bus;
    private int select;
    private int id;
    private int lines;
    private int request;

    /** @param bus where interrupt messages go */
    IoApic(ToIntFunction<InterruptMessage> bus) {
        this.bus = bus;
        java.util.Arrays.fill(redirection, MASKED);
    }

    void setLine(int pin, boolean high) {
        int bit = 1 << pin;
        boolean rising = high && (lines & bit) == 0;
        lines = high ? lines | bit : lines & ~bit;
        if (level(pin)) {
            request = high ? request | bit : request & ~bit;
            service(pin);
        } else if (rising) {
            request |= bit;
            service(pin);
        } else if (!high) {
            // an edge that was masked is forgotten with the line's fall (KVM, ioapic_set_irq)
            request &= ~bit;
        }
    }

    private boolean level(int pin) {
        return (redirection[pin] & LEVEL) != 0;
    }

    private void service(int pin) {
        long entry = redirection[pin];
        int bit = 1 << pin;
        if ((request & bit) == 0 || (entry & MASKED) != 0) {
            return;
        }
        if (level(pin)) {
            if ((entry & REMOTE_IRR) != 0) {
                return;
            }
            redirection[pin] |= REMOTE_IRR;
        } else {
            request &= ~bit;
        }
        var _ = bus.applyAsInt(new InterruptMessage(
                (int) entry & 0xff,
                DeliveryMode.of((int) entry >>> 8),
                (entry & 1 << 11) != 0,
                (int) (entry >>> 56),
                level(pin),
                true));
    }

    /** A local APIC's EOI of a level-triggered {@code vector}. */
    void endOfInterrupt(int vector) {
        for (int pin = 0; pin < PINS; pin++) {
            if (((int) redirection[pin] & 0xff) == vector && (redirection[pin] & REMOTE_IRR) != 0) {
                redirection[pin] &= ~REMOTE_IRR;
                service(pin);
            }
        }
    }

    int read(long offset) {
        return switch ((int) offset & 0xff) {
            case 0x00 -> select;
            case 0x10 -> readRegister();
            default -> 0;
        };
    }

    private int readRegister() {
        if (select == 0 || select == 2) {
            return id << 24;
        }
        if (select == 1) {
            return VERSION;
        }
        int pin = select - 0x10 >> 1;
        if (select < 0x10 || pin >= PINS) {
            return 0;
        }
        return (int) ((select & 1) == 0 ? redirection[pin] : redirection[pin] >>> 32);
    }

    void write(long offset, int value) {
        switch ((int) offset & 0xff) {
            case 0x00 -> select = value & 0xff;
            case 0x10 -> writeRegister(value);
            case 0x40 -> endOfInterrupt(value & 0xff);
            default -> {}
        }
    }

    private void writeRegister(int value) {
        if (select == 0) {
            id = value >>> 24 & 0xf;
        }
        int pin = select - 0x10 >> 1;
        if (select < 0x10 || pin >= PINS) {
            return;
        }
        long old = redirection[pin];
        long wide = Integer.toUnsignedLong(value);
        long written = (select & 1) == 0 ? old & ~0xffff_ffffL | wide : old & 0xffff_ffffL | wide << 32;
        written = written & WRITABLE | old & ~WRITABLE;
        // an edge-triggered entry has no remote IRR (KVM, ioapic_write_indirect)
        redirection[pin] = (written & LEVEL) == 0 ? written & ~REMOTE_IRR : written;
        service(pin);
    }

    /** struct kvm_ioapic_state, field by field. */
    void save(ObjLongConsumer<String> state) {
        state.accept("base_address", BASE);
        state.accept("ioregsel", select);
        state.accept("id", id);
        state.accept("irr", request);
        for (int pin = 0; pin < PINS; pin++) {
            state.accept("redirtbl" + pin, redirection[pin]);
        }
    }

    /** kvm_set_ioapic: what is requested is served at once. */
    void load(ToLongFunction<String> state) {
        select = (int) state.applyAsLong("ioregsel") & 0xff;
        id = (int) state.applyAsLong("id") & 0xf;
        request = 0;
        for (int pin = 0; pin < PINS; pin++) {
            redirection[pin] = state.applyAsLong("redirtbl" + pin);
        }
        request = (int) state.applyAsLong("irr") & (1 << PINS) - 1;
        for (int pin = 0; pin < PINS; pin++) {
            service(pin);
        }
    }

    Runnable checkpoint() {
        long[] savedRedirection = redirection.clone();
        int savedSelect = select;
        int savedId = id;
        int savedLines = lines;
        int savedRequest = request;
        return () -> {
            System.arraycopy(savedRedirection, 0, redirection, 0, PINS);
            select = savedSelect;
            id = savedId;
            lines = savedLines;
            request = savedRequest;
        };
    }
}
