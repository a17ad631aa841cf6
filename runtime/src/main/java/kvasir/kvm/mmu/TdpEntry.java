package kvasir.kvm.mmu;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.event.Topic;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.State;

/** The lowest entry that covers an address, as it was when the script looked. */
public final class TdpEntry implements Described {
    /** What scripts may do with it. */
    public static final Api<TdpEntry> API = Api.of(
                    "spte", TdpEntry.class, "One second-stage entry: the lowest that covers the address.")
            .property("raw", "u64", "The 8 bytes of the entry.", "plain.ept[0].raw", e -> e.raw)
            .property("level", "u64", "1 = 4K, 2 = 2M, 3 = 1G, 4, 5.", "plain.ept[0].level", e -> (long) e.level)
            .property("size", "u64", "Bytes the entry covers.", "plain.ept[0].size", e -> Level.bytes(e.level))
            .property("gpa", "u64", "First address the entry covers.", "plain.ept[0].gpa", e -> e.gfn << 12)
            .property("hpa", "u64", "Host address it maps or points to.", "plain.ept[0].hpa", e -> Spte.address(e.raw))
            .property("pfn", "u64", "Host frame it maps or points to.", "plain.ept[0].pfn", e -> Spte.pfn(e.raw))
            .property("sptep", "u64", "Host address of the entry itself.", "plain.ept[0].sptep", e -> e.sptep)
            .property("present", "bool", "Shadow-present (bit 11).", "plain.ept[0].present", e -> e.present())
            .property("leaf", "bool", "Maps memory.", "plain.ept[0].leaf", e -> e.leaf())
            .property("accessed", "bool", "The A bit.", "plain.ept[0].accessed", e -> e.format.isAccessed(e.raw))
            .property("dirty", "bool", "The D bit.", "plain.ept[0].dirty", e -> (e.raw & e.format.dirtyMask()) != 0)
            .property("writable", "bool", "The W bit.", "plain.ept[0].writable", e -> Spte.isWritable(e.raw))
            .property(
                    "host_writable",
                    "bool",
                    "Software bit: the host lets the page be written.",
                    "plain.ept[0].host_writable",
                    e -> e.format.isHostWritable(e.raw))
            .property(
                    "mmu_writable",
                    "bool",
                    "Software bit: a fast page fault may set W.",
                    "plain.ept[0].mmu_writable",
                    e -> e.format.isMmuWritable(e.raw))
            .property("bits", "record", "The decoded bits.", "show plain.ept[0].bits", TdpEntry::bits)
            .build();

    /** Columns of a line of a picture: with a report's margin within 80. */
    private static final int COLUMNS = 70;

    private final String label;
    private final SpteFormat format;
    private final String space;
    final long gfn;
    final int level;
    final long sptep;
    final long raw;

    TdpEntry(String label, SpteFormat format, String space, long gfn, int level, long sptep, long raw) {
        this.label = label;
        this.format = format;
        this.space = space;
        this.gfn = gfn;
        this.level = level;
        this.sptep = sptep;
        this.raw = raw;
    }

    boolean present() {
        return Spte.isShadowPresent(raw);
    }

    boolean leaf() {
        return Spte.isPresentLeaf(raw, level);
    }

    boolean mmio() {
        return !present() && raw != Spte.EMPTY && !Spte.isFrozen(raw) && format.isMmio(raw);
    }

    /** {@code rwx}, {@code r-x}, {@code ---}. */
    String permissions() {
        return (SpteFormat.isReadable(raw) ? "r" : "-")
                + (Spte.isWritable(raw) ? "w" : "-")
                + (SpteFormat.isReadable(raw) && format.isExecutable(raw) ? "x" : "-");
    }

    /** {@code wb}, {@code uc}: what the entry says of the memory type; NPT always leaves it to the guest. */
    String memoryType() {
        if (format.kind() == SpteFormat.Kind.NPT) {
            return "wb";
        }
        return switch ((int) (raw >>> 3) & 7) {
            case 0 -> "uc";
            case 1 -> "wc";
            case 4 -> "wt";
            case 5 -> "wp";
            case 6 -> "wb";
            default -> "illegal";
        };
    }

    /** The decoded bits by name, in a fixed order. */
    Map<String, Object> bits() {
        var bits = new LinkedHashMap<String, Object>();
        bits.put("raw", raw);
        bits.put("level", (long) level);
        bits.put("gpa", gfn << 12);
        if (present()) {
            bits.put("hpa", Spte.address(raw));
            bits.put("pfn", Spte.pfn(raw));
            bits.put("permissions", permissions());
            bits.put("accessed", format.isAccessed(raw));
            if (format.meValue() != 0) {
                bits.put("encrypted", format.isEncrypted(raw));
            }
        }
        if (leaf()) {
            bits.put("dirty", (raw & format.dirtyMask()) != 0);
            bits.put("memtype", memoryType());
            bits.put("ipat", format.kind() == SpteFormat.Kind.EPT && (raw & 1 << 6) != 0);
            bits.put("host_writable", format.isHostWritable(raw));
            bits.put("mmu_writable", format.isMmuWritable(raw));
            bits.put("access_tracked", format.isAccessTracked(raw));
        }
        if (mmio()) {
            bits.put("generation", SpteFormat.mmioGeneration(raw));
            bits.put("mmio_gpa", format.mmioGfn(raw) << 12);
        }
        return bits;
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return label;
    }

    @Override
    public Topic topic() {
        return Topic.of(space, gfn << 12, Level.bytes(level));
    }

    @Override
    public Optional<State> state() {
        if (Spte.isFrozen(raw)) {
            return Optional.of(new State("FROZEN", List.of(), bits()));
        }
        if (leaf()) {
            return Optional.of(new State("leaf", List.of(Level.bytes(level), permissions()), bits()));
        }
        if (present()) {
            return Optional.of(new State("table", List.of(Level.bytes(level)), bits()));
        }
        if (mmio()) {
            return Optional.of(new State("mmio", List.of(SpteFormat.mmioGeneration(raw)), bits()));
        }
        return Optional.of(new State("empty", List.of(), bits()));
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(described("%s  0x%016x".formatted(Level.name(level), raw)));
    }

    private String encryption() {
        return format.isEncrypted(raw) ? " C" : "";
    }

    /** {@code head}, and what the entry says, indented on a line of its own where both together are too long for a report. */
    String described(String head) {
        String says = describe();
        if (head.length() + 2 + says.length() <= COLUMNS) {
            return head + "  " + says;
        }
        return head + "\n" + " ".repeat(head.length() - head.stripLeading().length() + 4) + says;
    }

    /** {@code rwx wb pfn 0x123 A D host-w mmu-w}: what the entry says. */
    String describe() {
        if (Spte.isFrozen(raw)) {
            return "FROZEN";
        }
        if (leaf()) {
            return "%s %s pfn 0x%x%s%s%s%s%s%s"
                    .formatted(
                            permissions(),
                            memoryType(),
                            Spte.pfn(raw),
                            encryption(),
                            format.isAccessed(raw) ? " A" : "",
                            (raw & format.dirtyMask()) != 0 ? " D" : "",
                            format.isHostWritable(raw) ? " host-w" : "",
                            format.isMmuWritable(raw) ? " mmu-w" : "",
                            format.isAccessTracked(raw) ? " access-tracked" : "");
        }
        if (present()) {
            return "table 0x%x %s%s".formatted(Spte.address(raw), permissions(), encryption());
        }
        if (mmio()) {
            return "mmio generation %d".formatted(SpteFormat.mmioGeneration(raw));
        }
        return "empty";
    }
}
