package kvasir.metal.cpu;

/**
 * The leaves of CPUID that tell of caches, of the processors beside this one, and of TLBs: one package of {@code processors}
 * cores with one thread each, whose APIC ids count from 0. Caches are those of the processors that the models are named
 * after (Intel Xeon Platinum 8480+, AMD EPYC 7763), the L3 of one package or core complex.
 */
final class CpuidTopology {
    /** A core complex of family 25, model 1: those cores share an L3. */
    private static final int COMPLEX = 8;

    private static final int LINE = 64;

    /**
     * A cache.
     *
     * @param type 1 data, 2 instructions, 3 both
     * @param flags as in EDX: 1 WBINVD does not reach the caches of sharers, 2 inclusive, 4 complex indexing
     */
    private record Cache(int type, int level, int ways, int sets, int flags) {}

    private static final Cache[] SAPPHIRE_RAPIDS = {
        new Cache(1, 1, 12, 64, 0),
        new Cache(2, 1, 8, 64, 0),
        new Cache(3, 2, 16, 2048, 0),
        new Cache(3, 3, 15, 114_688, 4)
    };
    private static final Cache[] MILAN = {
        new Cache(1, 1, 8, 64, 0),
        new Cache(2, 1, 8, 64, 0),
        new Cache(3, 2, 8, 1024, 2),
        new Cache(3, 3, 16, 32_768, 1)
    };

    private CpuidTopology() {}

    /** Bits of an APIC id that number the cores of the package. */
    private static int coreBits(int processors) {
        return 32 - Integer.numberOfLeadingZeros(processors - 1);
    }

    /**
     * Adds to {@code out} what the leaf tells of one among {@code processors}.
     *
     * @param processors at least 1
     */
    static void add(CpuidModel model, int[] out, int leaf, int subleaf, int apicId, int processors) {
        int bits = coreBits(processors);
        switch (leaf) {
            case 1 -> {
                out[1] |= Math.min(processors > 1 ? 1 << bits : 1, 0xff) << 16 | apicId << 24;
                out[3] |= processors > 1 ? 1 << 28 : 0;
            }
            case 2 -> set(out, model.amd() ? 0 : 0x00fe_ff01, model.amd() ? 0 : 0xf0, 0, 0);
            case 4 -> {
                if (!model.amd()) {
                    cache(SAPPHIRE_RAPIDS, out, subleaf, Math.min(1 << bits, 0x1000));
                    out[0] |= out[0] == 0 ? 0 : Math.min((1 << bits) - 1, 63) << 26;
                }
            }
            case 0xb -> levels(out, subleaf, apicId, processors, bits);
            case 0x1f -> {
                if (!model.amd()) {
                    levels(out, subleaf, apicId, processors, bits);
                }
            }
            case 0x8000_0001 -> out[2] |= model.amd() && processors > 1 ? 2 : 0;
            case 0x8000_0006 -> {
                if (model.amd()) {
                    set(out, 0x4800_6400, 0x6800_6400, 0x0200_6140, 0x0100_9140);
                } else {
                    set(out, 0, 0, 0x0800_7040, 0);
                }
            }
            case 0x8000_0008 -> out[2] |= model.amd() ? processors - 1 & 0xff | bits << 12 : 0;
            default -> {
                if (model.amd()) {
                    amd(out, leaf, subleaf, apicId, Math.min(1 << bits, COMPLEX));
                }
            }
        }
    }

    private static void amd(int[] out, int leaf, int subleaf, int apicId, int sharers) {
        switch (leaf) {
            case 0x8000_0005 -> set(out, 0xff40_ff40, 0xff40_ff40, 0x2008_0140, 0x2008_0140);
            case 0x8000_0019 -> set(out, 0xf040_f040, 0xf040_0000, 0, 0);
            // the floating-point unit is 256 bits wide, unaligned moves are fast
            case 0x8000_001a -> set(out, 6, 0, 0, 0);
            case 0x8000_001d -> cache(MILAN, out, subleaf, sharers);
            case 0x8000_001e -> set(out, apicId, apicId & 0xff, 0, 0);
            default -> {}
        }
    }

    /** One level of caches, as leaf 4 and leaf 0x8000001d have it. */
    private static void cache(Cache[] caches, int[] out, int subleaf, int sharers) {
        if (subleaf < 0 || subleaf >= caches.length) {
            return;
        }
        Cache cache = caches[subleaf];
        int selfInitializing = 1 << 8;
        int shared = cache.level == 3 ? sharers - 1 : 0;
        set(
                out,
                cache.type | cache.level << 5 | selfInitializing | shared << 14,
                LINE - 1 | cache.ways - 1 << 22,
                cache.sets - 1,
                cache.flags);
    }

    /** The levels of the extended topology: threads of a core, cores of the package. */
    private static void levels(int[] out, int subleaf, int apicId, int processors, int bits) {
        switch (subleaf) {
            case 0 -> set(out, 0, 1, 1 << 8, apicId);
            case 1 -> set(out, bits, processors, 1 | 2 << 8, apicId);
            default -> set(out, 0, 0, subleaf & 0xff, apicId);
        }
    }

    private static void set(int[] out, int eax, int ebx, int ecx, int edx) {
        out[0] |= eax;
        out[1] |= ebx;
        out[2] |= ecx;
        out[3] |= edx;
    }
}
