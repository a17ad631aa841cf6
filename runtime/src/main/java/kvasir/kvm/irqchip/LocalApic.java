package kvasir.kvm.irqchip;

import java.util.function.IntUnaryOperator;

/**
 * A local APIC in xAPIC and x2APIC mode with timer (SDM volume 3, chapter 11; KVM's lapic.c for version and LVT count).
 */
public final class LocalApic {
    /** Reset value of the base address. */
    public static final long DEFAULT_BASE = 0xfee0_0000L;

    private static final long BSP = 1 << 8;
    private static final long X2APIC = 1 << 10;
    private static final long ENABLED = 1 << 11;

    private static final int ID = 0x20;
    private static final int VERSION = 0x30;
    private static final int TPR = 0x80;
    private static final int APR = 0x90;
    private static final int PPR = 0xa0;
    private static final int EOI = 0xb0;
    private static final int RRD = 0xc0;
    private static final int LDR = 0xd0;
    private static final int DFR = 0xe0;
    private static final int SVR = 0xf0;
    private static final int ISR = 0x100;
    private static final int TMR = 0x180;
    private static final int IRR = 0x200;
    private static final int ESR = 0x280;
    private static final int ICR = 0x300;
    private static final int ICR_HIGH = 0x310;
    private static final int LVT_TIMER = 0x320;
    private static final int LVT_THERMAL = 0x330;
    private static final int LVT_PERFORMANCE = 0x340;
    private static final int LVT_LINT0 = 0x350;
    private static final int LVT_LINT1 = 0x360;
    private static final int LVT_ERROR = 0x370;
    private static final int INITIAL_COUNT = 0x380;
    private static final int CURRENT_COUNT = 0x390;
    private static final int DIVIDE = 0x3e0;
    private static final int SELF_IPI = 0x3f0;

    private static final int VERSION_VALUE = 0x5_0014;
    private static final int MASKED = 1 << 16;
    private static final int ICR_PENDING = 1 << 12;
    private static final int ERROR_SEND_ILLEGAL_VECTOR = 1 << 5;
    private static final int ERROR_RECEIVE_ILLEGAL_VECTOR = 1 << 6;

    private final IrqChip chip;
    private final int id;
    private final boolean boot;
    private final long physicalMask;
    private final int[] registers = new int[0x40];
    private long base;
    private long x2Icr;
    private int errors;

    private long timerStart;
    private long tscDeadline;
    private long deadlineAt;
    private boolean timerArmed;

    private boolean pendingInit;
    private int pendingStartup = -1;
    private int pendingNmis;
    private boolean pendingSmi;
    private int external = -1;
    private int endedForUser = -1;

    LocalApic(IrqChip chip, int id, int physicalBits, boolean boot) {
        this.chip = chip;
        this.id = id;
        this.boot = boot;
        physicalMask = (1L << physicalBits) - 1;
        base = DEFAULT_BASE | ENABLED | (boot ? BSP : 0);
        reset();
    }

    /** Power-up and INIT state (SDM volume 3, 11.4.7.1); INIT keeps the APIC base. */
    public void reset() {
        java.util.Arrays.fill(registers, 0);
        for (int lvt = LVT_TIMER; lvt <= LVT_ERROR; lvt += 0x10) {
            put(lvt, MASKED);
        }
        if (boot) {
            // the boot processor starts in virtual wire mode (KVM, kvm_lapic_reset with quirk LINT0_REENABLED)
            put(LVT_LINT0, DeliveryMode.EXTINT.ordinal() << 8);
        }
        put(DFR, -1);
        put(SVR, 0xff);
        put(ID, x2() ? id : id << 24);
        if (x2()) {
            put(LDR, logicalX2());
        }
        timerArmed = false;
        tscDeadline = 0;
        errors = 0;
        x2Icr = 0;
    }

    private int logicalX2() {
        return id >>> 4 << 16 | 1 << (id & 15);
    }

    private int get(int offset) {
        return registers[offset >>> 4];
    }

    private void put(int offset, int value) {
        registers[offset >>> 4] = value;
    }

    /** Its APIC id. */
    public int id() {
        return id;
    }

    /** IA32_APIC_BASE. */
    public long base() {
        return base;
    }

    /** Whether the global enable bit of IA32_APIC_BASE is set; CPUID.1:EDX[9] follows it. */
    public boolean enabled() {
        return (base & ENABLED) != 0;
    }

    private boolean x2() {
        return (base & (ENABLED | X2APIC)) == (ENABLED | X2APIC);
    }

    private boolean softwareEnabled() {
        return enabled() && (get(SVR) & 1 << 8) != 0;
    }

    /** Whether a physical address falls on its registers now. */
    public boolean ownsAddress(long gpa) {
        return enabled() && !x2() && (gpa & ~0xfffL) == (base & physicalMask & ~0xfffL);
    }

    /** WRMSR IA32_APIC_BASE; false means #GP (SDM volume 3, 11.12.5.1). */
    public boolean writeBase(long value) {
        long oldMode = base & (ENABLED | X2APIC);
        long newMode = value & (ENABLED | X2APIC);
        boolean illegal = (oldMode == (ENABLED | X2APIC) && newMode == ENABLED)
                || (oldMode == 0 && newMode == (ENABLED | X2APIC));
        return !illegal && setBase(value);
    }

    /** IA32_APIC_BASE as user space sets it, from any mode to any other; false if the value is not legal. */
    public boolean setBase(long value) {
        long reserved = ~physicalMask | 0x2ff;
        long oldMode = base & (ENABLED | X2APIC);
        long newMode = value & (ENABLED | X2APIC);
        if ((value & reserved) != 0 || newMode == X2APIC) {
            return false;
        }
        base = value;
        if (oldMode != newMode) {
            if (newMode == 0) {
                reset();
            } else if (x2()) {
                put(ID, id);
                put(LDR, logicalX2());
            } else {
                put(ID, id << 24);
            }
        }
        return true;
    }

    /** A 32-bit read at {@code offset} of the register page. Reads that are not aligned to 16 bytes give 0. */
    public int readMmio(int offset, long now) {
        return (offset & 0xf) != 0 || offset >= 0x400 ? 0 : read(offset, now);
    }

    /** A 32-bit write at {@code offset} of the register page. */
    public void writeMmio(int offset, int value, long now) {
        if ((offset & 0xf) == 0 && offset < 0x400 && offset != SELF_IPI) {
            write(offset, value, now);
        }
    }

    private int read(int offset, long now) {
        return switch (offset) {
            case VERSION -> VERSION_VALUE;
            case PPR -> priority();
            case APR, RRD -> 0;
            case CURRENT_COUNT -> currentCount(now);
            case EOI, SELF_IPI -> 0;
            default -> get(offset);
        };
    }

    private void write(int offset, int value, long now) {
        switch (offset) {
            case ID -> {
                if (!x2()) {
                    put(ID, value & 0xff00_0000);
                }
            }
            case TPR -> put(TPR, value & 0xff);
            case EOI -> endOfInterrupt();
            case LDR -> put(LDR, value & 0xff00_0000);
            case DFR -> put(DFR, value | 0x0fff_ffff);
            case SVR -> {
                put(SVR, value & 0x3ff);
                if ((value & 1 << 8) == 0) {
                    for (int lvt = LVT_TIMER; lvt <= LVT_ERROR; lvt += 0x10) {
                        put(lvt, get(lvt) | MASKED);
                    }
                }
            }
            case ESR -> {
                put(ESR, errors);
                errors = 0;
            }
            case ICR -> {
                put(ICR, value & ~ICR_PENDING);
                send(value, get(ICR_HIGH) >>> 24);
            }
            case ICR_HIGH -> put(ICR_HIGH, value & 0xff00_0000);
            case LVT_TIMER -> writeTimerVector(value, now);
            case LVT_THERMAL, LVT_PERFORMANCE -> putLocalVector(offset, value, 0x117ff);
            case LVT_LINT0, LVT_LINT1 -> putLocalVector(offset, value, 0x1f7ff);
            case LVT_ERROR -> putLocalVector(offset, value, 0x110ff);
            case INITIAL_COUNT -> {
                if (!deadlineMode()) {
                    put(INITIAL_COUNT, value);
                    timerStart = now;
                    timerArmed = value != 0;
                }
            }
            case DIVIDE -> {
                put(DIVIDE, value & 0xb);
            }
            case SELF_IPI -> send(1 << 18 | value & 0xff, 0);
            default -> {}
        }
    }

    private void putLocalVector(int offset, int value, int legal) {
        put(offset, value & legal | (softwareEnabled() ? 0 : MASKED));
    }

    private void writeTimerVector(int value, long now) {
        int before = get(LVT_TIMER) >>> 17 & 3;
        putLocalVector(LVT_TIMER, value, 0x710ff);
        int after = value >>> 17 & 3;
        if ((before == 2) != (after == 2)) {
            // switching to or from TSC-deadline mode disarms the timer (SDM volume 3, 11.5.4.1)
            timerArmed = false;
            tscDeadline = 0;
            put(INITIAL_COUNT, 0);
        } else if (before == 1 && after == 0 && timerArmed) {
            timerStart = now - elapsedInPeriod(now) * divider();
        }
    }

    /**
     * RDMSR of an x2APIC register, 800h to 8FFh.
     *
     * @return the value, or nothing for #GP
     */
    public java.util.OptionalLong readMsr(int msr, long now) {
        int offset = msr - 0x800 << 4;
        boolean readable = switch (offset) {
            case ID, VERSION, TPR, PPR, LDR, SVR, ESR, ICR, CURRENT_COUNT, INITIAL_COUNT, DIVIDE -> true;
            default -> (offset >= ISR && offset < ESR) || (offset >= LVT_TIMER && offset <= LVT_ERROR);
        };
        if (!x2() || !readable) {
            return java.util.OptionalLong.empty();
        }
        return java.util.OptionalLong.of(offset == ICR ? x2Icr : Integer.toUnsignedLong(read(offset, now)));
    }

    /** WRMSR of an x2APIC register; false means #GP (SDM volume 3, table 11-6). */
    public boolean writeMsr(int msr, long value, long now) {
        int offset = msr - 0x800 << 4;
        if (!x2()) {
            return false;
        }
        if (offset == ICR) {
            if ((value & 0xfff3_2000L) != 0) {
                return false;
            }
            x2Icr = value & ~(long) ICR_PENDING;
            send((int) value, (int) (value >>> 32));
            return true;
        }
        long legal = switch (offset) {
            case EOI, ESR -> 0;
            case TPR, SELF_IPI -> 0xff;
            case SVR -> 0x3ff;
            case LVT_TIMER -> 0x710ff;
            case LVT_THERMAL, LVT_PERFORMANCE -> 0x117ff;
            case LVT_LINT0, LVT_LINT1 -> 0x1f7ff;
            case LVT_ERROR -> 0x110ff;
            case INITIAL_COUNT -> 0xffff_ffffL;
            case DIVIDE -> 0xb;
            default -> -1L << 32;
        };
        boolean writable = legal >= 0;
        if (!writable || (value & ~legal) != 0) {
            return false;
        }
        write(offset, (int) value, now);
        return true;
    }

    private void send(int command, int destination) {
        DeliveryMode mode = DeliveryMode.of(command >>> 8);
        int vector = command & 0xff;
        if (vector < 16 && (mode == DeliveryMode.FIXED || mode == DeliveryMode.LOWEST_PRIORITY)) {
            raiseError(ERROR_SEND_ILLEGAL_VECTOR);
        }
        boolean level = (command & 1 << 15) != 0;
        var message = new InterruptMessage(
                vector, mode, (command & 1 << 11) != 0, destination, level, (command & 1 << 14) != 0 || !level);
        chip.send(this, message, command >>> 18 & 3);
    }

    private void raiseError(int error) {
        errors |= error;
        int lvt = get(LVT_ERROR);
        if ((lvt & MASKED) == 0) {
            request(lvt & 0xff, false);
        }
    }

    /** Whether a message with this destination is for it (SDM volume 3, 11.6.2). */
    boolean matches(boolean logical, int destination) {
        if (!enabled()) {
            return false;
        }
        if (!logical) {
            boolean broadcast = x2() ? destination == -1 : (destination & 0xff) == 0xff;
            return broadcast || destination == (x2() ? id : get(ID) >>> 24);
        }
        if (x2()) {
            int logicalId = get(LDR);
            return destination == -1
                    || (destination >>> 16 == logicalId >>> 16 && (destination & logicalId & 0xffff) != 0);
        }
        int logicalId = get(LDR) >>> 24;
        if (get(DFR) >>> 28 == 0xf) {
            return (destination & logicalId) != 0;
        }
        return (destination & 0xff) == 0xff
                || (destination >>> 4 == logicalId >>> 4 && (destination & logicalId & 0xf) != 0);
    }

    /** Accepts a message that is for it. */
    void accept(InterruptMessage message) {
        switch (message.mode()) {
            case FIXED, LOWEST_PRIORITY -> {
                if (!softwareEnabled()) {
                    return;
                }
                if (message.vector() < 16) {
                    raiseError(ERROR_RECEIVE_ILLEGAL_VECTOR);
                } else {
                    request(message.vector(), message.level());
                }
            }
            case NMI -> nonMaskable();
            case SMI -> {
                pendingSmi = true;
                chip.arrived(id);
            }
            case INIT -> {
                if (message.asserted()) {
                    pendingInit = true;
                    pendingStartup = -1;
                    chip.arrived(id);
                }
            }
            case STARTUP -> {
                pendingStartup = message.vector();
                chip.arrived(id);
            }
            case EXTINT, RESERVED -> {}
        }
    }

    private void request(int vector, boolean level) {
        set(IRR, vector);
        if (level) {
            set(TMR, vector);
        } else {
            clear(TMR, vector);
        }
        chip.arrived(id);
    }

    private void set(int bank, int vector) {
        registers[(bank >>> 4) + (vector >>> 5)] |= 1 << (vector & 31);
    }

    private void clear(int bank, int vector) {
        registers[(bank >>> 4) + (vector >>> 5)] &= ~(1 << (vector & 31));
    }

    private boolean isSet(int bank, int vector) {
        return (registers[(bank >>> 4) + (vector >>> 5)] & 1 << (vector & 31)) != 0;
    }

    private int highest(int bank) {
        for (int i = 7; i >= 0; i--) {
            int word = registers[(bank >>> 4) + i];
            if (word != 0) {
                return i * 32 + 31 - Integer.numberOfLeadingZeros(word);
            }
        }
        return -1;
    }

    private int priority() {
        int inService = highest(ISR);
        int task = get(TPR);
        return inService >= 0 && inService >>> 4 > task >>> 4 ? inService & 0xf0 : task;
    }

    /** CR8, the upper half of TPR. */
    public int taskPriority() {
        return get(TPR) >>> 4;
    }

    /** Writes CR8. */
    public void taskPriority(int cr8) {
        put(TPR, cr8 << 4);
    }

    /** The vector that can interrupt the processor now, or -1. */
    public int pendingVector() {
        if (!softwareEnabled()) {
            return -1;
        }
        int vector = highest(IRR);
        return vector >= 0 && vector >>> 4 > priority() >>> 4 ? vector : -1;
    }

    /** Moves {@code vector} from requested to in service. */
    public void acknowledge(int vector) {
        clear(IRR, vector);
        set(ISR, vector);
    }

    private void endOfInterrupt() {
        int vector = highest(ISR);
        if (vector >= 0) {
            clear(ISR, vector);
            chip.endOfInterrupt(this, vector, isSet(TMR, vector));
        }
    }

    /** An EOI that user space's I/O APIC must hear of. */
    void tellEoi(int vector) {
        endedForUser = vector;
    }

    /** Takes the vector of an EOI that user space must hear of; -1 if there is none. */
    public int takeEoi() {
        int vector = endedForUser;
        endedForUser = -1;
        return vector;
    }

    /** The vector that user space's 8259 has given (pending_external_vector); -1 if none waits. */
    public int external() {
        return external;
    }

    /** KVM_INTERRUPT with a split irqchip. */
    public void setExternal(int vector) {
        external = vector;
    }

    int takeExternal() {
        int vector = external;
        external = -1;
        return vector;
    }

    /** Whether the 8259 pair reaches the processor through LINT0, or past a disabled APIC. */
    public boolean acceptsExternal() {
        int lint0 = get(LVT_LINT0);
        return !enabled() ? boot : (lint0 & MASKED) == 0 && DeliveryMode.of(lint0 >>> 8) == DeliveryMode.EXTINT;
    }

    /** LINT1 as the NMI line. */
    void nonMaskableLine() {
        int lint1 = get(LVT_LINT1);
        if ((lint1 & MASKED) == 0 && DeliveryMode.of(lint1 >>> 8) == DeliveryMode.NMI) {
            nonMaskable();
        }
    }

    /** One more NMI waits. */
    public void nonMaskable() {
        pendingNmis = Math.min(pendingNmis + 1, 2);
        chip.arrived(id);
    }

    /** Whether an INIT or a start-up IPI waits. */
    public boolean bootEventPending() {
        return pendingInit || pendingStartup >= 0;
    }

    /** A start-up IPI waits (KVM_SET_MP_STATE, SIPI_RECEIVED). */
    public void startup(int vector) {
        pendingStartup = vector;
    }

    /** Replaces the NMIs that wait. */
    public void setPendingNmis(int count) {
        pendingNmis = Math.min(count, 2);
    }

    /** Takes a pending INIT, if there is one. */
    public boolean takeInit() {
        boolean init = pendingInit;
        pendingInit = false;
        return init;
    }

    /** Takes a pending start-up vector; -1 if there is none. */
    public int takeStartup() {
        int vector = pendingStartup;
        pendingStartup = -1;
        return vector;
    }

    /** NMIs that wait, 0 to {@code most}; more than that are forgotten (KVM, process_nmi). */
    public int pendingNmis(int most) {
        pendingNmis = Math.min(pendingNmis, most);
        return pendingNmis;
    }

    /** Takes a pending NMI, if there is one. */
    public boolean takeNmi() {
        boolean nmi = pendingNmis > 0;
        pendingNmis -= nmi ? 1 : 0;
        return nmi;
    }

    /** Takes a pending SMI, if there is one. */
    public boolean takeSmi() {
        boolean smi = pendingSmi;
        pendingSmi = false;
        return smi;
    }

    private boolean deadlineMode() {
        return (get(LVT_TIMER) >>> 17 & 3) == 2;
    }

    private boolean periodic() {
        return (get(LVT_TIMER) >>> 17 & 3) == 1;
    }

    private long divider() {
        int encoding = get(DIVIDE) & 3 | get(DIVIDE) >>> 1 & 4;
        return encoding == 7 ? 1 : 2L << encoding;
    }

    private long elapsedInPeriod(long now) {
        long period = Integer.toUnsignedLong(get(INITIAL_COUNT));
        long elapsed = (now - timerStart) / divider();
        return period == 0 ? 0 : elapsed % period;
    }

    private int currentCount(long now) {
        long initial = Integer.toUnsignedLong(get(INITIAL_COUNT));
        if (initial == 0 || deadlineMode() || !timerArmed) {
            return 0;
        }
        long elapsed = (now - timerStart) / divider();
        if (elapsed >= initial && !periodic()) {
            return 0;
        }
        return (int) (initial - elapsed % initial);
    }

    /** IA32_TSC_DEADLINE. */
    public long tscDeadline() {
        return tscDeadline;
    }

    /**
     * Writes IA32_TSC_DEADLINE; ignored outside TSC-deadline mode.
     *
     * @param value in the guest's TSC
     * @param at the same moment in virtual time
     */
    public void tscDeadline(long value, long at) {
        if (deadlineMode()) {
            tscDeadline = value;
            deadlineAt = Math.max(at, 0);
            timerArmed = value != 0;
        }
    }

    /** When the timer next expires; {@link Long#MAX_VALUE} if never. */
    long deadline() {
        if (!timerArmed) {
            return Long.MAX_VALUE;
        }
        return deadlineMode() ? deadlineAt : timerStart + Integer.toUnsignedLong(get(INITIAL_COUNT)) * divider();
    }

    /** Lets the timer expire as often as it has by {@code now}; missed periods are coalesced. */
    void advance(long now) {
        if (deadline() > now) {
            return;
        }
        if (periodic()) {
            timerStart = now - (now - timerStart) % (Integer.toUnsignedLong(get(INITIAL_COUNT)) * divider());
        } else {
            timerArmed = false;
            tscDeadline = 0;
        }
        int lvt = get(LVT_TIMER);
        if ((lvt & MASKED) == 0) {
            request(lvt & 0xff, false);
        }
    }

    /** A register of the page that KVM_GET_LAPIC gives; the id as user space expects it (kvm_apic_state_fixup). */
    public int stateRegister(int offset, long now) {
        return switch (offset) {
            case ID -> x2() ? chip.wideIds() ? id : id << 24 : get(ID);
            case ICR -> x2() ? (int) x2Icr : get(ICR);
            case ICR_HIGH -> x2() ? (int) (x2Icr >>> 32) : get(ICR_HIGH);
            case VERSION, PPR, CURRENT_COUNT -> read(offset, now);
            default -> get(offset);
        };
    }

    /** Whether the id in a page for {@link #load} is one that KVM_SET_LAPIC takes. */
    public boolean acceptsId(int given) {
        return !x2() || !chip.wideIds() || given == id;
    }

    /**
     * KVM_SET_LAPIC of a page (kvm_apic_set_state): the timer begins anew.
     *
     * @param page the register at an offset
     */
    public void load(IntUnaryOperator page, long now) {
        for (int offset = ID; offset <= SELF_IPI; offset += 0x10) {
            put(offset, page.applyAsInt(offset));
        }
        if (x2()) {
            put(ID, id);
            put(LDR, logicalX2());
            x2Icr = Integer.toUnsignedLong(page.applyAsInt(ICR)) | (long) page.applyAsInt(ICR_HIGH) << 32;
        }
        put(SVR, get(SVR) & 0x3ff);
        timerStart = now;
        timerArmed = !deadlineMode() && get(INITIAL_COUNT) != 0;
        tscDeadline = 0;
        chip.arrived(id);
    }

    /** INIT waits because its processor is in SMM (kvm_lapic_latched_init). */
    public boolean initLatched() {
        return pendingInit;
    }

    /** Sets what {@link #initLatched} tells. */
    public void latchInit(boolean latched) {
        pendingInit = latched;
    }

    /** The registers as they are, as an action that puts them back. */
    Runnable checkpoint() {
        int[] savedRegisters = registers.clone();
        long savedBase = base;
        long savedIcr = x2Icr;
        int savedErrors = errors;
        long savedStart = timerStart;
        long savedDeadline = tscDeadline;
        long savedAt = deadlineAt;
        boolean savedArmed = timerArmed;
        boolean savedInit = pendingInit;
        int savedStartup = pendingStartup;
        int savedNmis = pendingNmis;
        boolean savedSmi = pendingSmi;
        int savedExternal = external;
        int savedEnded = endedForUser;
        return () -> {
            System.arraycopy(savedRegisters, 0, registers, 0, registers.length);
            base = savedBase;
            x2Icr = savedIcr;
            errors = savedErrors;
            timerStart = savedStart;
            tscDeadline = savedDeadline;
            deadlineAt = savedAt;
            timerArmed = savedArmed;
            pendingInit = savedInit;
            pendingStartup = savedStartup;
            pendingNmis = savedNmis;
            pendingSmi = savedSmi;
            external = savedExternal;
            endedForUser = savedEnded;
        };
    }
}
