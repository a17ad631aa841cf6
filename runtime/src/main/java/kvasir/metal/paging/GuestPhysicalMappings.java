package kvasir.metal.paging;

import java.util.Arrays;
import kvasir.metal.memory.PhysicalMemory;

/**
 * What a processor keeps of second-stage walks (Intel SDM volume 3, "Guest-physical mappings"): until the hypervisor
 * invalidates them, whatever the guest does to its own translations. Refusals are not kept.
 */
public final class GuestPhysicalMappings {
    private static final int SLOTS = 1024;
    private static final long NONE = 1;
    private static final long PAGE = -4096;

    /** Reads, writes and fetches, and reads of the guest's paging structures. */
    private static final int KINDS = 4;

    private static final int TABLE_READS = 3;

    private final long[] tags = new long[KINDS * SLOTS];
    private final long[] hpas = new long[KINDS * SLOTS];
    private final byte[] levels = new byte[KINDS * SLOTS];

    /** Whether nothing is kept: most invalidations find that. */
    private boolean empty = true;

    public GuestPhysicalMappings() {
        Arrays.fill(tags, NONE);
    }

    /** INVEPT, or an invalidation of the ASID. */
    public void clear() {
        if (!empty) {
            Arrays.fill(tags, NONE);
            empty = true;
        }
    }

    /** Whether a mapping to the host's page is kept. */
    public boolean leadTo(long pfn) {
        for (int i = 0; i < tags.length && !empty; i++) {
            if (tags[i] != NONE && hpas[i] >>> 12 == pfn) {
                return true;
            }
        }
        return false;
    }

    /** The same walks, as far as they are not kept here. */
    public SecondStageWalker before(SecondStageWalker walker) {
        return (memory, gpa, access, tableWalk) -> translate(walker, memory, gpa, access, tableWalk);
    }

    private SecondStageResult translate(
            SecondStageWalker walker, PhysicalMemory memory, long gpa, Access access, boolean tableWalk) {
        if (tableWalk && access != Access.READ) {
            return walker.translate(memory, gpa, access, true);
        }
        long page = gpa >>> 12;
        int kind = tableWalk ? TABLE_READS : access.ordinal();
        int slot = kind * SLOTS | (int) (page ^ page >>> 10) & (SLOTS - 1);
        if (tags[slot] == (gpa & PAGE)) {
            return new SecondStageResult.Mapped(hpas[slot] | gpa & ~PAGE, levels[slot]);
        }
        SecondStageResult result = walker.translate(memory, gpa, access, tableWalk);
        if (result instanceof SecondStageResult.Mapped(long hpa, int level)) {
            tags[slot] = gpa & PAGE;
            hpas[slot] = hpa & PAGE;
            levels[slot] = (byte) level;
            empty = false;
        }
        return result;
    }
}
