package kvasir.metal.cpu;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Instruction;

/**
 * Finds hot code, has it translated beside the guest, and runs it. What a guest can see does not depend on when a
 * translation arrives: both engines execute the same instructions with the same budget.
 */
final class Regions {
    /** Executions after which a block is hot. */
    private static final int HOT = 30_000;

    /** As {@link #HOT}, for tests. */
    static final int HOT_AT_ONCE = 2;

    private static final int HOT_TO_COMPARE = 16;

    private static final int MOST_INSTRUCTIONS = 160;
    private static final int MOST_BLOCKS = 48;

    /** Regions that live at a time; with one more, all are dropped. */
    private static final int MOST_REGIONS = 8192;

    /** Instructions at a time: so few that the JVM's counters, which see entries, go on seeing them. */
    private static final int MOST_AT_A_TIME = 20_000;

    /** Entries after which a region is looked at; a shorter stay than so many instructions a time is short. */
    private static final int REVIEW = 20_000;

    private static final int SOON = 200;

    /** A stay of fewer instructions costs more than their interpretation. */
    private static final int TOO_SHORT = 4;

    private static final int MOST_REMADE = 2;

    private final Cpu c;
    private Engine engine = Engine.TRANSLATOR;

    /** The execution that makes a block hot. */
    int hot = HOT;

    private final Set<Region> living = new LinkedHashSet<>();
    private boolean resting;
    private long made;
    private long dropped;

    Regions(Cpu c) {
        this.c = c;
    }

    void engine(Engine wanted) {
        engine = wanted;
        hot = switch (wanted) {
            case TRANSLATOR_AT_ONCE -> HOT_AT_ONCE;
            case BOTH -> HOT_TO_COMPARE;
            case INTERPRETER, TRANSLATOR -> HOT;
        };
        if (wanted == Engine.INTERPRETER) {
            dropAll();
        }
    }

    Engine engine() {
        return engine;
    }

    /** Whether translated code is left aside for now, and none is made. */
    void rest(boolean wanted) {
        resting = wanted;
    }

    int living() {
        return living.size();
    }

    /** Regions made and dropped since construction. */
    long made() {
        return made;
    }

    long dropped() {
        return dropped;
    }

    /** The block has been executed {@link #hot} times. */
    void hot(Block block) {
        if (resting) {
            // asked again the next time
            block.executed = hot - 1;
        } else if (awaited(block)) {
            block.executed = 0;
        } else if (engine != Engine.INTERPRETER && c.codeSize == CodeSize.BITS64 && block.nextFrame < 0) {
            make(block, 0);
        }
    }

    /**
     * Whether a translation that holds the block is on its way: the blocks of a loop become hot together, and the region
     * of the first serves them all. A block that is still executed when it is there becomes hot once more.
     */
    private static boolean awaited(Block block) {
        for (Region region : block.regions) {
            if (region.translation == null && !region.untranslatable) {
                return true;
            }
        }
        return false;
    }

    /** @param remade how often there was a region with this entry before */
    private void make(Block block, int remade) {
        List<Region.Part> parts = collect(block, remade > 0);
        if (parts.isEmpty()) {
            return;
        }
        if (living.size() >= MOST_REGIONS) {
            dropAll();
        }
        var region = new Region(parts, c.shared, remade);
        region.compared = -1;
        living.add(region);
        parts.forEach(part -> part.block().regions.add(region));
        block.region = region;
        made++;
        if (engine != Engine.TRANSLATOR) {
            RegionTranslator.translate(region)
                    .ifPresentOrElse(
                            translation -> region.translation = translation, () -> region.untranslatable = true);
        } else {
            TranslatorThread.translate(region);
        }
    }

    /** Whether the instruction, of 64-bit code, becomes bytecode of its own: else the interpreter's operation is called. */
    static boolean translates(Instruction i, int gateKey) {
        return InstructionTranslator.knows(i) || VectorTranslator.knows(i, gateKey);
    }

    /**
     * The blocks that the entry leads to, as far as they have been executed.
     *
     * @param all whether then come the other hot ones of its page, which indirect branches may reach
     */
    private List<Region.Part> collect(Block entry, boolean all) {
        long page = entry.linear & -4096;
        var parts = new ArrayList<Region.Part>();
        var waiting = new LinkedHashMap<Integer, Block>();
        Set<Block> seen = new HashSet<>();
        waiting.put(entry.offset, entry);
        seen.add(entry);
        int instructions = 0;
        boolean others = all;
        while (parts.size() < MOST_BLOCKS) {
            if (waiting.isEmpty()) {
                if (!others) {
                    break;
                }
                others = false;
                for (Block block : c.blocks.hotBeside(entry, hot / 8)) {
                    if (seen.add(block)) {
                        waiting.put(block.offset, block);
                    }
                }
                continue;
            }
            Map.Entry<Integer, Block> next = waiting.pollFirstEntry();
            List<Instruction> decoded = c.blocks.instructions(next.getValue());
            if (decoded.isEmpty()) {
                continue;
            }
            instructions += decoded.size();
            if (instructions > MOST_INSTRUCTIONS && !parts.isEmpty()) {
                break;
            }
            var part = new Region.Part(next.getValue(), decoded, next.getKey());
            parts.add(part);
            for (int place : RegionTranslator.successors(part)) {
                c.blocks
                        .known(page + place, entry.modeKey)
                        .filter(seen::add)
                        .ifPresent(block -> waiting.put(place, block));
            }
        }
        return parts;
    }

    /** A block of {@code region} is no longer what memory holds. */
    void drop(Region region) {
        if (!region.dead) {
            region.dead = true;
            dropped++;
            living.remove(region);
            region.parts.forEach(part -> part.block().regions.remove(region));
            if (region.entry().region == region) {
                region.entry().region = null;
            }
        }
    }

    private void dropAll() {
        List.copyOf(living).forEach(this::drop);
    }

    /**
     * Runs {@code region}, whose entry is at {@code start}.
     *
     * @param budget instructions, at least 1
     * @return whether anything has retired
     */
    boolean run(Region region, long start, long budget) {
        Region.Translation translation = region.translation;
        if (translation == null || resting || !current(region)) {
            return false;
        }
        long before = c.retired;
        c.regionStamp = c.stamp;
        c.regionDrops = dropped;
        c.running = translation;
        region.entered++;
        translation.code().run(c, start & -4096, Math.min(budget, MOST_AT_A_TIME));
        c.running = null;
        region.retired += c.retired - before;
        if (region.entered == REVIEW && !region.dead) {
            review(region);
        }
        return c.retired != before;
    }

    /** A region that is left soon after it was entered may lack what became hot later: once more, with what is hot now. */
    private void review(Region region) {
        boolean leaves = region.retired < (long) REVIEW * SOON;
        if (leaves && region.remade < MOST_REMADE) {
            drop(region);
            make(region.entry(), region.remade + 1);
        } else if (region.retired < (long) REVIEW * TOO_SHORT) {
            drop(region);
        }
    }

    private boolean current(Region region) {
        if (region.compared == c.hostStamp) {
            return true;
        }
        for (Region.Part part : region.parts) {
            if (!c.blocks.unchanged(part.block())) {
                drop(region);
                return false;
            }
        }
        region.compared = c.hostStamp;
        return true;
    }
}
