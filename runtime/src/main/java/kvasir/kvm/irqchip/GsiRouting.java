package kvasir.kvm.irqchip;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Where each GSI goes (irqchip.c, kvm_set_irq_routing; irq_comm.c, kvm_set_routing_entry). Immutable. */
public final class GsiRouting {
    /** KVM_MAX_IRQ_ROUTES: GSIs are below it, and a table has at most as many entries. */
    public static final int MOST_ROUTES = 4096;

    /** Pins of one 8259. */
    static final int PIC_PINS = 8;

    private final SortedMap<Integer, List<Route>> routes;

    private GsiRouting(SortedMap<Integer, List<Route>> routes) {
        this.routes = routes;
    }

    /** One entry of the table. */
    public sealed interface Route {
        /**
         * KVM_IRQ_ROUTING_IRQCHIP.
         *
         * @param chip 0 and 1 for the 8259s, 2 for the I/O APIC
         * @param pin its input, counted from 0
         */
        record Pin(int chip, int pin) implements Route {}

        /** KVM_IRQ_ROUTING_MSI: the GSI sends a message. */
        record Msi(long address, int data) implements Route {}
    }

    /** No GSI goes anywhere, as after KVM_CAP_SPLIT_IRQCHIP. */
    static GsiRouting empty() {
        return new GsiRouting(new TreeMap<>());
    }

    /** A full irqchip's, until somebody says otherwise: GSI 0 arrives at pin 2 of the I/O APIC, as on a PC. */
    static GsiRouting standard() {
        GsiRouting routing = empty();
        for (int gsi = 0; gsi < IrqChip.GSIS; gsi++) {
            if (gsi < 2 * PIC_PINS) {
                routing = routing.with(gsi, new Route.Pin(gsi / PIC_PINS, gsi % PIC_PINS));
            }
            routing = routing.with(gsi, new Route.Pin(IrqChip.IO_APIC, gsi == 0 ? 2 : gsi));
        }
        return routing;
    }

    private GsiRouting with(int gsi, Route route) {
        var grown = new TreeMap<>(routes);
        var entries = new ArrayList<>(of(gsi));
        entries.add(route);
        grown.put(gsi, List.copyOf(entries));
        return new GsiRouting(grown);
    }

    /** Collects a table that user space gives. */
    public static final class Builder {
        private final SortedMap<Integer, List<Route>> routes = new TreeMap<>();

        /**
         * setup_routing_entry.
         *
         * @return false if the GSI would reach one chip twice, or have a message and something else
         */
        public boolean add(int gsi, Route route) {
            List<Route> others = routes.computeIfAbsent(gsi, _ -> new ArrayList<>());
            for (Route other : others) {
                boolean apart = other instanceof Route.Pin(int chip, int _)
                        && route instanceof Route.Pin(int wanted, int _)
                        && chip != wanted;
                if (!apart) {
                    return false;
                }
            }
            return others.add(route);
        }

        /** The table. */
        public GsiRouting build() {
            return new GsiRouting(new TreeMap<>(routes));
        }
    }

    /** Where {@code gsi} goes, in the order of the table. */
    public List<Route> of(int gsi) {
        return routes.getOrDefault(gsi, List.of());
    }

    /** All messages of GSIs below {@code end}. */
    List<Route.Msi> messages(int end) {
        return routes.headMap(end).values().stream()
                .flatMap(List::stream)
                .filter(Route.Msi.class::isInstance)
                .map(Route.Msi.class::cast)
                .toList();
    }
}
