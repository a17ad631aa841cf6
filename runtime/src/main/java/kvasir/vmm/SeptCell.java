package kvasir.vmm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.event.Topic;
import kvasir.kvm.mmu.Level;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptWalk;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.State;

/** The lowest S-EPT entry that covers an address, as it was when the script looked. */
final class SeptCell implements Described {
    static final Api<SeptCell> API = Api.of("sept entry", SeptCell.class, "One entry of a secure EPT.")
            .property("raw", "u64", "The 8 bytes.", "show td.sept[0].raw", c -> c.walk.raw())
            .property("level", "u64", "TDX level: 0 = 4K, 1 = 2M, 2 = 1G.", "td.sept[0].level", c ->
                    (long) c.walk.level())
            .property("gpa", "u64", "First address it covers.", "td.sept[0].gpa", c -> c.gpa)
            .property("hpa", "u64", "Page or table behind it; 0 if none.", "td.sept[0].hpa", c -> c.walk.target())
            .property(
                    "name",
                    "string",
                    "The state's name.",
                    "td.sept[0].name",
                    c -> c.walk.state().name())
            .property(
                    "number",
                    "u64",
                    "The state's public number, RDX[15:8] of TDH.MEM.SEPT.RD.",
                    "td.sept[0].number",
                    c -> (long) c.walk.state().publicNumber())
            .build();

    private final String table;
    final SeptWalk walk;
    final long gpa;

    /** @param table {@code td.sept} */
    SeptCell(String table, SeptWalk walk, long address) {
        this.table = table;
        this.walk = walk;
        gpa = address & -bytes(walk.level());
    }

    static long bytes(int level) {
        return Level.bytes(level + 1);
    }

    long end() {
        return gpa + bytes(walk.level());
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return "%s[0x%x]".formatted(table, gpa);
    }

    @Override
    public Topic topic() {
        return Topic.of(table, gpa, bytes(walk.level()));
    }

    @Override
    public Optional<State> state() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("hpa", walk.target());
        fields.put("level", (long) walk.level());
        fields.put("raw", walk.raw());
        return Optional.of(new State(walk.state().name(), List.of(bytes(walk.level())), fields));
    }

    @Override
    public Optional<String> picture() {
        return Optional.of("%-4s %-16s 0x%016x%s"
                .formatted(
                        Text.size(bytes(walk.level())),
                        walk.state().name(),
                        walk.raw(),
                        SeptEntry.hpa(walk.raw()) == 0 ? "" : "  hpa 0x%x".formatted(walk.target())));
    }
}
