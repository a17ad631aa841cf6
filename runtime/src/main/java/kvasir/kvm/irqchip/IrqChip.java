package kvasir.kvm.irqchip;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * The full in-kernel irqchip of one VM (KVM_CREATE_IRQCHIP) and the wires between its parts. GSIs 0 to
 * 15 go to the 8259 pair and to the I/O APIC, GSI 0 to I/O APIC pin 2, the rest to the I/O APIC (KVM's default routing).
 */
public final class IrqChip {
    /** Ticks of virtual time in a second. */
    public static final long TSC_HERTZ = 1_000_000_000;

    /** Number of input lines. */
    public static final int GSIS = 24;

    private static final int SHORTHAND_SELF = 1;
    private static final int SHORTHAND_ALL = 2;
    private static final int SHORTHAND_OTHERS = 3;

    private final PicPair pics = new PicPair();
    private final IoApic ioApic = new IoApic(this::deliver);
    private Optional<Pit> pit = Optional.empty();
    private List<LocalApic> apics = new ArrayList<>();
    private int lowestPriorityTurn;
    private IntConsumer arrival = _ -> {};

    /** Whom {@link #onArrival} is told when it is not one local APIC. */
    public static final int EVERYONE = -1;

    /** Who hears the id of each local APIC at which something arrives that its processor must look at. */
    public void onArrival(IntConsumer listener) {
        arrival = listener;
    }

    void arrived(int apicId) {
        arrival.accept(apicId);
    }

    /** KVM_CREATE_PIT2: without it ports 40h to 43h and 61h are user space's. */
    public void createPit() {
        pit = Optional.of(new Pit());
    }

    /** Whether there is a PIT. */
    public boolean hasPit() {
        return pit.isPresent();
    }

    /** Gives a new vCPU its local APIC; {@code id} is the APIC id, {@code physicalBits} is MAXPHYADDR. */
    public LocalApic addLocalApic(int id, int physicalBits) {
        var apic = new LocalApic(this, id, physicalBits);
        apics.add(apic);
        return apic;
    }

    /** KVM_IRQ_LINE: drives input line {@code gsi}, 0 to 23. */
    public void setLine(int gsi, boolean high) {
        if (gsi < 16) {
            boolean before = pics.interrupting();
            pics.setLine(gsi, high);
            if (!before && pics.interrupting()) {
                arrived(EVERYONE);
            }
        }
        ioApic.setLine(gsi == 0 ? 2 : gsi, high);
    }

    /** KVM_SIGNAL_MSI: the message that a device writes (SDM volume 3, 11.11). */
    public void signalMsi(long address, int data) {
        deliver(new InterruptMessage(
                data & 0xff,
                DeliveryMode.of(data >>> 8),
                (address & 4) != 0,
                (int) (address >>> 12) & 0xff | (int) (address >>> 32) & 0xffff_ff00,
                (data & 1 << 15) != 0,
                true));
    }

    /** Sends the interrupt of an ICR value to one APIC id; false if there is none. */
    public boolean sendTo(long id, int icr) {
        for (LocalApic apic : apics) {
            if (apic.id() == id) {
                apic.accept(new InterruptMessage(icr & 0xff, DeliveryMode.of(icr >>> 8), false, (int) id, false, true));
                return true;
            }
        }
        return false;
    }

    private void deliver(InterruptMessage message) {
        if (message.mode() == DeliveryMode.LOWEST_PRIORITY) {
            deliverToOne(message);
            return;
        }
        for (LocalApic apic : apics) {
            if (apic.matches(message.logical(), message.destination())) {
                apic.accept(message);
            }
        }
    }

    private void deliverToOne(InterruptMessage message) {
        for (int i = 0; i < apics.size(); i++) {
            LocalApic apic = apics.get((lowestPriorityTurn + i) % apics.size());
            if (apic.matches(message.logical(), message.destination())) {
                lowestPriorityTurn = (lowestPriorityTurn + i + 1) % apics.size();
                apic.accept(message);
                return;
            }
        }
    }

    void send(LocalApic from, InterruptMessage message, int shorthand) {
        switch (shorthand) {
            case SHORTHAND_SELF -> from.accept(message);
            case SHORTHAND_ALL, SHORTHAND_OTHERS -> {
                for (LocalApic apic : apics) {
                    if (shorthand == SHORTHAND_ALL || apic != from) {
                        apic.accept(message);
                    }
                }
            }
            default -> deliver(message);
        }
    }

    void endOfInterrupt(int vector) {
        ioApic.endOfInterrupt(vector);
    }

    /** The vector with which {@code apic}'s processor can be interrupted now, or -1; {@link #acknowledge} takes it. */
    public boolean interrupting(LocalApic apic) {
        return apic.pendingVector() >= 0 || (apic.acceptsExternal() && pics.interrupting());
    }

    /** Takes the interrupt that {@link #interrupting} announced: the 8259 pair first (KVM, kvm_cpu_get_interrupt). */
    public int acknowledge(LocalApic apic) {
        if (apic.acceptsExternal() && pics.interrupting()) {
            return pics.acknowledge();
        }
        int vector = apic.pendingVector();
        apic.acknowledge(vector);
        return vector;
    }

    /** When something happens next by itself; {@link Long#MAX_VALUE} if nothing will. */
    public long deadline() {
        long next = Long.MAX_VALUE;
        if (pit.isPresent()) {
            next = pit.get().deadline();
        }
        for (LocalApic apic : apics) {
            next = Math.min(apic.deadline(), next);
        }
        return next;
    }

    /** Lets everything happen that is due at {@code now}. */
    public void advance(long now) {
        if (pit.isPresent() && pit.get().takeEdge(now)) {
            setLine(0, true);
            setLine(0, false);
        }
        for (LocalApic apic : apics) {
            apic.advance(now);
        }
    }

    /** Whether {@code port} belongs to the chip. */
    public boolean ownsPort(int port) {
        return PicPair.owns(port) || ownedByPit(port);
    }

    private boolean ownedByPit(int port) {
        return pit.isPresent() && Pit.owns(port);
    }

    /** A byte read of a port it owns. */
    public int readPort(int port, long now) {
        return ownedByPit(port) ? pit.orElseThrow().read(port, now) : pics.read(port);
    }

    /** A byte write to a port it owns. */
    public void writePort(int port, int value, long now) {
        if (ownedByPit(port)) {
            pit.orElseThrow().write(port, value, now);
        } else {
            pics.write(port, value);
        }
    }

    /** Whether a physical address falls on the I/O APIC. */
    public boolean ownsAddress(long gpa) {
        return (gpa & ~0xfffL) == IoApic.BASE;
    }

    /** A 32-bit read of the I/O APIC. */
    public int readIoApic(long gpa) {
        return ioApic.read(gpa);
    }

    /** A 32-bit write to the I/O APIC. */
    public void writeIoApic(long gpa, int value) {
        ioApic.write(gpa, value);
    }

    /** Pulses the NMI line (LINT1 of every local APIC). */
    public void pulseNmi() {
        apics.forEach(LocalApic::nonMaskableLine);
    }

    /** The chips as they are, as an action that puts them back. */
    public Runnable checkpoint() {
        var parts = new ArrayList<Runnable>();
        parts.add(pics.checkpoint());
        parts.add(ioApic.checkpoint());
        pit.ifPresent(timer -> parts.add(timer.checkpoint()));
        apics.forEach(apic -> parts.add(apic.checkpoint()));
        var savedPit = pit;
        var savedApics = List.copyOf(apics);
        int savedTurn = lowestPriorityTurn;
        return () -> {
            parts.forEach(Runnable::run);
            pit = savedPit;
            apics = new ArrayList<>(savedApics);
            lowestPriorityTurn = savedTurn;
        };
    }
}
