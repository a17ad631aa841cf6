package kvasir.metal.tdx;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One CPUID leaf that the module virtualizes; a leaf without a row gives #VE.
 *
 * @param leaf CPUID leaf
 * @param subleaf CPUID subleaf, −1 if the leaf has none
 * @param faulting whether it gives #VE although it is listed
 * @param fixed1 EAX, EBX, ECX, EDX: bits that are always 1
 * @param fixed0 likewise, bits that are always 0 or filled in when the guest asks
 */
public record CpuidRow(int leaf, int subleaf, boolean faulting, List<Integer> fixed1, List<Integer> fixed0) {
    private static final int LAST_BASE = 0x23;
    private static final int LAST_EXTENDED = 0x80000008;
    private static final int XSAVE = 0xd;
    private static final int LAST_XSAVE = 18;
    private static final int TOPOLOGY = 0x1f;
    private static final int LAST_TOPOLOGY = 5;

    /** All rows: the configurable leaves in the order of TD_PARAMS, then the others. */
    public static final List<CpuidRow> ALL = rows();

    /** The row's place in {@link #ALL} decides where its values are in the TDCS. */
    int offset() {
        return Tdcs.CPUID_VALUES + 16 * ALL.indexOf(this);
    }

    /** Metadata field id of EAX and EBX in CPUID_VALUES; the next is that of ECX and EDX. */
    public long fieldId() {
        return TdFields.cpuidValues(leaf, subleaf);
    }

    /** The row that answers; a leaf beyond the last of its range is taken for the last basic one. */
    static Optional<CpuidRow> find(int leaf, int subleaf) {
        boolean hypervisor = leaf >>> 28 == 4;
        boolean beyond = Integer.compareUnsigned(leaf, LAST_EXTENDED) > 0 || leaf > LAST_BASE;
        int wanted = beyond && !hypervisor ? LAST_BASE : leaf;
        return ALL.stream()
                .filter(row -> row.leaf == wanted && (row.subleaf < 0 || row.subleaf == subleaf))
                .findFirst();
    }

    private static List<CpuidRow> rows() {
        var rows = new ArrayList<CpuidRow>();
        rows.add(row(1, -1, four(0, 0, 0x80000000, 0x200), four(0xf000c000, 0xff0000ff, 0x08010060, 0x40120400)));
        rows.add(row(4, 0, four(0, 0, 0, 0), four(0x3c00, 0, 0, 4)));
        rows.add(row(4, 1, four(0, 0, 0, 0), four(0x3c00, 0, 0, 4)));
        rows.add(row(4, 2, four(0, 0, 0, 0), four(0x3c00, 0, 0, 4)));
        rows.add(row(4, 3, four(0, 0, 0, 0), four(0x3c00, 0, 0, -8)));
        rows.add(row(7, 0, four(0, 0, 0, 0), four(0, 0x00404006, 0x643e8010, 0x002298c3)));
        rows.add(row(7, 1, four(0, 0, 0, 0), four(0xffffe2cf, -1, -1, -1)));
        rows.add(row(0xa, -1, four(0, 0, 0, 0), four(0, 0, 0, 0xffff6000)));
        rows.add(row(0x1c, -1, four(0, 0, 0, 0), four(0, 0, 0, 0)));
        rows.add(row(0x80000008, -1, four(0, 0, 0, 0), four(0xffff0000, 0xfffffdff, -1, -1)));
        rows.add(row(7, 2, four(0, 0, 0, 0), four(-1, -1, -1, 0xffffffc0)));
        rows.add(row(0x23, 0, four(0, 0, 0, 0), four(0xfffffff0, 0, -1, -1)));

        rows.add(row(0, -1, four(0x23, 0, 0, 0), four(0xffffffdc, 0, 0, 0)));
        for (int leaf : new int[] {3, 8, 0xe, 0x11, 0x12, 0x13, 0x20, 0x22}) {
            rows.add(zero(leaf, -1));
        }
        rows.add(zero(4, 4));
        rows.add(row(5, -1, four(0, 0, 0, 0), four(0xffff0000, 0xffff0000, 0xfffffffc, 0)));
        rows.add(faulting(6, -1));
        rows.add(row(XSAVE, 0, four(0, 0, 0, 0), four(0xfff9fd18, -1, 0, -1)));
        rows.add(row(XSAVE, 1, four(0, 0, 0, 0), four(0xffffffe0, -1, 0xffff26ff, -1)));
        for (int component = 2; component <= LAST_XSAVE; component++) {
            rows.add(row(XSAVE, component, four(0, 0, 0, 0), four(0, 0, 0, -1)));
        }
        rows.add(row(0x14, 0, four(0, 0, 0, 0), four(0, 0xfffffe00, 0x7ffffff0, -1)));
        rows.add(row(0x14, 1, four(0, 0, 0, 0), four(0xfff8, 0, -1, -1)));
        rows.add(row(0x15, -1, four(1, 0, 25_000_000, 0), four(0xfffffffe, 0, 0xfe8287bf, -1)));
        rows.add(row(0x19, -1, four(0, 0, 0, 0), four(0xfffffff8, 0xffffffeb, 0xfffffffd, -1)));
        rows.add(row(0x1d, 0, four(0, 0, 0, 0), four(0, 0, 0, 0)));
        rows.add(row(0x1d, 1, four(0, 0, 0, 0), four(0, 0, 0, 0)));
        rows.add(row(0x1e, -1, four(0, 0, 0, 0), four(0, 0, 0, 0)));
        for (int level = 0; level <= LAST_TOPOLOGY; level++) {
            rows.add(faulting(TOPOLOGY, level));
        }
        rows.add(row(0x21, 0, four(0, 0x65746e49, 0x20202020, 0x5844546c), four(-1, -1, -1, -1)));
        rows.add(row(0x23, 1, four(0, 0, 0, 0), four(0, 0, -1, -1)));
        rows.add(zero(0x23, 2));
        rows.add(row(0x23, 3, four(0, 0, 0, 0), four(0, -1, -1, -1)));
        rows.add(row(0x80000000, -1, four(0x80000008, 0, 0, 0), four(0x7ffffff7, -1, -1, -1)));
        rows.add(row(0x80000001, -1, four(0, 0, 0, 0), four(-1, -1, 0xfffffede, 0xd3efffff)));
        rows.add(faulting(0x80000006, -1));
        rows.add(row(0x80000007, -1, four(0, 0, 0, 0), four(-1, -1, -1, 0xfffffeff)));
        return List.copyOf(rows);
    }

    private static CpuidRow row(int leaf, int subleaf, List<Integer> fixed1, List<Integer> fixed0) {
        return new CpuidRow(leaf, subleaf, false, fixed1, fixed0);
    }

    private static CpuidRow zero(int leaf, int subleaf) {
        return row(leaf, subleaf, four(0, 0, 0, 0), four(-1, -1, -1, -1));
    }

    private static CpuidRow faulting(int leaf, int subleaf) {
        return new CpuidRow(leaf, subleaf, true, four(0, 0, 0, 0), four(0, 0, 0, 0));
    }

    private static List<Integer> four(int eax, int ebx, int ecx, int edx) {
        return List.of(eax, ebx, ecx, edx);
    }
}
