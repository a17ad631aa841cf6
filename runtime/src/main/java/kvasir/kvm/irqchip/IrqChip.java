package kvasir.kvm.irqchip;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.function.ObjLongConsumer;
import java.util.function.ToLongFunction;

/**
 * The in-kernel irqchip of one VM and the wires between its parts. After KVM_CREATE_IRQCHIP it is whole; after
 * KVM_CAP_SPLIT_IRQCHIP it has local APICs only, and user space has the I/O APIC and the 8259 pair.
 */
public final class IrqChip {
    /** Ticks of virtual time in a second. */
    public static final long TSC_HERTZ = 1_000_000_000;

    /** Number of input lines. */
    public static final int GSIS = 24;

    private static final int SHORTHAND_SELF = 1;
    private static final int SHORTHAND_ALL = 2;
    private static final int SHORTHAND_OTHERS = 3;

    /** Numbers of the chips in routes and in struct kvm_irqchip: 0 and 1 are the 8259s. */
    static final int IO_APIC = 2;

    private final Optional<PicPair> pics;
    private final Optional<IoApic> ioApic;
    private final int reservedPins;
    private GsiRouting routing;
    private boolean wideIds;
    private Optional<Pit> pit = Optional.empty();
    private List<LocalApic> apics = new ArrayList<>();
    private int lowestPriorityTurn;
    private IntConsumer arrival = _ -> {};

    /** A whole irqchip. */
    public IrqChip() {
        this(Optional.of(new PicPair()), true, 0, GsiRouting.standard());
    }

    private IrqChip(Optional<PicPair> pics, boolean whole, int reservedPins, GsiRouting routing) {
        this.pics = pics;
        ioApic = whole ? Optional.of(new IoApic(this::deliver)) : Optional.empty();
        this.reservedPins = reservedPins;
        this.routing = routing;
    }

    /**
     * A split irqchip.
     *
     * @param reservedPins GSIs below it are the pins of user space's I/O APICs: their EOIs are told
     */
    public static IrqChip split(int reservedPins) {
        return new IrqChip(Optional.empty(), false, reservedPins, GsiRouting.empty());
    }

    /** Whether user space has the I/O APIC and the 8259 pair. */
    public boolean isSplit() {
        return pics.isEmpty();
    }

    /** KVM_SET_GSI_ROUTING. */
    public void setRouting(GsiRouting table) {
        routing = table;
    }

    /** KVM_X2APIC_API_USE_32BIT_IDS: destinations in messages have 32 bits. */
    public void useWideIds() {
        wideIds = true;
    }

    /** Whether {@link #useWideIds} was called. */
    public boolean wideIds() {
        return wideIds;
    }

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

    /**
     * Gives a new vCPU its local APIC.
     *
     * @param id the APIC id
     * @param physicalBits MAXPHYADDR
     * @param boot whether it is the boot processor's
     */
    public LocalApic addLocalApic(int id, int physicalBits, boolean boot) {
        var apic = new LocalApic(this, id, physicalBits, boot);
        apics.add(apic);
        return apic;
    }

    /** KVM_IRQ_LINE: drives {@code gsi}, which goes where the routing says. */
    public void setLine(int gsi, boolean high) {
        for (GsiRouting.Route route : routing.of(gsi)) {
            switch (route) {
                case GsiRouting.Route.Pin(int chip, int pin)
                when chip == IO_APIC -> ioApic.ifPresent(io -> io.setLine(pin, high));
                case GsiRouting.Route.Pin(int chip, int pin) ->
                    pics.ifPresent(pair -> setPicLine(pair, GsiRouting.PIC_PINS * chip + pin, high));
                case GsiRouting.Route.Msi(long address, int data) -> {
                    if (high) {
                        signalMsi(address, data);
                    }
                }
            }
        }
    }

    private void setPicLine(PicPair pair, int line, boolean high) {
        boolean before = pair.interrupting();
        pair.setLine(line, high);
        if (!before && pair.interrupting()) {
            arrived(EVERYONE);
        }
    }

    /**
     * KVM_SIGNAL_MSI: the message that a device writes (SDM volume 3, 11.11).
     *
     * @return how many local APICs it reached; -1 if none has that destination
     */
    public int signalMsi(long address, int data) {
        return deliver(message(address, data));
    }

    private InterruptMessage message(long address, int data) {
        int low = (int) (address >>> 12) & 0xff;
        return new InterruptMessage(
                data & 0xff,
                DeliveryMode.of(data >>> 8),
                (address & 4) != 0,
                wideIds ? low | (int) (address >>> 32) & 0xffff_ff00 : low,
                (data & 1 << 15) != 0,
                true);
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

    private int deliver(InterruptMessage message) {
        if (message.mode() == DeliveryMode.LOWEST_PRIORITY) {
            return deliverToOne(message);
        }
        int reached = 0;
        for (LocalApic apic : apics) {
            if (apic.matches(message.logical(), message.destination())) {
                apic.accept(message);
                reached++;
            }
        }
        return reached == 0 ? -1 : reached;
    }

    private int deliverToOne(InterruptMessage message) {
        for (int i = 0; i < apics.size(); i++) {
            LocalApic apic = apics.get((lowestPriorityTurn + i) % apics.size());
            if (apic.matches(message.logical(), message.destination())) {
                lowestPriorityTurn = (lowestPriorityTurn + i + 1) % apics.size();
                apic.accept(message);
                return 1;
            }
        }
        return -1;
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

    /** kvm_ioapic_send_eoi: {@code apic} has ended {@code vector}. */
    void endOfInterrupt(LocalApic apic, int vector, boolean level) {
        if (level) {
            ioApic.ifPresent(io -> io.endOfInterrupt(vector));
        }
        if (isSplit() && handles(apic, vector)) {
            apic.tellEoi(vector);
        }
    }

    /** kvm_scan_ioapic_routes: a level-triggered message of a reserved pin reaches this APIC with this vector. */
    private boolean handles(LocalApic apic, int vector) {
        return routing.messages(reservedPins).stream()
                .map(route -> message(route.address(), route.data()))
                .anyMatch(message -> message.level()
                        && message.vector() == vector
                        && apic.matches(message.logical(), message.destination()));
    }

    private boolean externalPending(LocalApic apic) {
        return apic.acceptsExternal()
                && (apic.external() >= 0 || pics.filter(PicPair::interrupting).isPresent());
    }

    /** Whether the processor of {@code apic} can be interrupted now; {@link #acknowledge} takes the vector. */
    public boolean interrupting(LocalApic apic) {
        return apic.pendingVector() >= 0 || externalPending(apic);
    }

    /** Takes the interrupt that {@link #interrupting} announced: the 8259 pair first (KVM, kvm_cpu_get_interrupt). */
    public int acknowledge(LocalApic apic) {
        if (externalPending(apic)) {
            return pics.map(PicPair::acknowledge).orElseGet(apic::takeExternal);
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
        return pics.isPresent() && PicPair.owns(port) || ownedByPit(port);
    }

    private boolean ownedByPit(int port) {
        return pit.isPresent() && Pit.owns(port);
    }

    /** A byte read of a port it owns. */
    public int readPort(int port, long now) {
        return ownedByPit(port)
                ? pit.orElseThrow().read(port, now)
                : pics.orElseThrow().read(port);
    }

    /** A byte write to a port it owns. */
    public void writePort(int port, int value, long now) {
        if (ownedByPit(port)) {
            pit.orElseThrow().write(port, value, now);
        } else {
            pics.orElseThrow().write(port, value);
        }
    }

    /** Whether a physical address falls on the I/O APIC. */
    public boolean ownsAddress(long gpa) {
        return ioApic.isPresent() && (gpa & ~0xfffL) == IoApic.BASE;
    }

    /** A 32-bit read of the I/O APIC. */
    public int readIoApic(long gpa) {
        return ioApic.orElseThrow().read(gpa);
    }

    /** A 32-bit write to the I/O APIC. */
    public void writeIoApic(long gpa, int value) {
        ioApic.orElseThrow().write(gpa, value);
    }

    /**
     * The state of one chip as struct kvm_irqchip has it, field by field; only of a whole irqchip.
     *
     * @param chip 0 and 1 for the 8259s, 2 for the I/O APIC
     */
    public void save(int chip, ObjLongConsumer<String> state) {
        if (chip == IO_APIC) {
            ioApic.orElseThrow().save(state);
        } else {
            pics.orElseThrow().chip(chip).save(state);
        }
    }

    /** Sets what {@link #save} tells. */
    public void load(int chip, ToLongFunction<String> state) {
        if (chip == IO_APIC) {
            ioApic.orElseThrow().load(state);
        } else {
            pics.orElseThrow().chip(chip).load(state);
            arrived(EVERYONE);
        }
    }

    /** The state of the PIT, which must be there, as struct kvm_pit_state2 has it. */
    public void savePit(ObjLongConsumer<String> state) {
        pit.orElseThrow().save(state);
    }

    /** Sets what {@link #savePit} tells. */
    public void loadPit(ToLongFunction<String> state, long now) {
        pit.orElseThrow().load(state, now);
    }

    /** Pulses the NMI line (LINT1 of every local APIC). */
    public void pulseNmi() {
        apics.forEach(LocalApic::nonMaskableLine);
    }

    /** The chips as they are, as an action that puts them back. */
    public Runnable checkpoint() {
        var parts = new ArrayList<Runnable>();
        pics.ifPresent(pair -> parts.add(pair.checkpoint()));
        ioApic.ifPresent(io -> parts.add(io.checkpoint()));
        GsiRouting savedRouting = routing;
        boolean savedWide = wideIds;
        pit.ifPresent(timer -> parts.add(timer.checkpoint()));
        apics.forEach(apic -> parts.add(apic.checkpoint()));
        var savedPit = pit;
        var savedApics = List.copyOf(apics);
        int savedTurn = lowestPriorityTurn;
        return () -> {
            parts.forEach(Runnable::run);
            routing = savedRouting;
            wideIds = savedWide;
            pit = savedPit;
            apics = new ArrayList<>(savedApics);
            lowestPriorityTurn = savedTurn;
        };
    }
}
