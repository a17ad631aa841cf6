package kvasir.kvm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.metal.cpu.CpuidModel;

/**
 * A table of KVM_SET_CPUID2, or what KVM_GET_SUPPORTED_CPUID gives for a processor (cpuid.c).
 *
 * @param entries in the order in which user space gave them
 */
public record CpuidTable(List<Entry> entries) {
    /** KVM_MAX_CPUID_ENTRIES. */
    static final int MOST_ENTRIES = 256;

    private static final int SIGNIFICANT_INDEX = 1;
    private static final int MOST_SUBLEAVES = 64;
    private static final int KVM_SIGNATURE = 0x4000_0000;
    private static final int EXTENDED = 0x8000_0000;
    private static final int ADDRESS_SIZES = 0x8000_0008;
    private static final int DEFAULT_BITS = 36;

    /**
     * struct kvm_cpuid_entry2.
     *
     * @param flags 1: {@code index} counts
     */
    public record Entry(int function, int index, int flags, int eax, int ebx, int ecx, int edx) {
        /** The registers in the order EAX, EBX, ECX, EDX. */
        int[] values() {
            return new int[] {eax, ebx, ecx, edx};
        }

        /** By the names of the ABI. */
        public Map<String, ?> record() {
            var fields = new LinkedHashMap<String, Object>();
            fields.put("function", Integer.toUnsignedLong(function));
            fields.put("index", Integer.toUnsignedLong(index));
            fields.put("flags", Integer.toUnsignedLong(flags));
            fields.put("eax", Integer.toUnsignedLong(eax));
            fields.put("ebx", Integer.toUnsignedLong(ebx));
            fields.put("ecx", Integer.toUnsignedLong(ecx));
            fields.put("edx", Integer.toUnsignedLong(edx));
            return fields;
        }
    }

    public CpuidTable {
        entries = List.copyOf(entries);
    }

    /** Everything that {@code model} tells, and KVM's own leaves. */
    public static CpuidTable supported(CpuidModel model) {
        var entries = new ArrayList<Entry>();
        addRange(entries, model, 0);
        for (int leaf = KVM_SIGNATURE; leaf <= KVM_SIGNATURE + 1; leaf++) {
            entries.add(entry(leaf, 0, 0, GuestCpuid.own(leaf)));
        }
        addRange(entries, model, EXTENDED);
        return new CpuidTable(entries);
    }

    private static void addRange(List<Entry> entries, CpuidModel model, int first) {
        int last = model.answer(first, 0)[0];
        for (int leaf = first; Integer.compareUnsigned(leaf, last) <= 0; leaf++) {
            boolean indexed = indexed(leaf);
            int highest = leaf == 7 ? model.answer(7, 0)[0] : indexed ? MOST_SUBLEAVES - 1 : 0;
            for (int index = 0; index <= highest; index++) {
                int[] out = model.answer(leaf, index);
                boolean empty = (out[0] | out[1] | (leaf == 0xb || leaf == 0x1f ? 0 : out[2] | out[3])) == 0;
                if (empty && index > 0 && leaf != 0xd) {
                    break;
                }
                if (!empty || index == 0) {
                    entries.add(entry(leaf, index, indexed ? SIGNIFICANT_INDEX : 0, out));
                }
            }
        }
    }

    private static boolean indexed(int leaf) {
        return switch (leaf) {
            case 4, 7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1d, 0x1e, 0x1f, 0x24, 0x8000_001d -> true;
            default -> false;
        };
    }

    private static Entry entry(int leaf, int index, int flags, int[] out) {
        return new Entry(leaf, index, flags, out[0], out[1], out[2], out[3]);
    }

    private Optional<Entry> find(int function, int index) {
        return entries.stream()
                .filter(e -> e.function == function && (e.flags & SIGNIFICANT_INDEX) == 0
                        || e.function == function && e.index == index)
                .findFirst();
    }

    /** kvm_cpuid: EAX, EBX, ECX, EDX of a leaf; the bits that follow control registers are as in the table. */
    int[] answer(int function, int index) {
        Optional<Entry> exact = find(function, index);
        if (exact.isPresent()) {
            return exact.get().values();
        }
        if (function == 0xb || function == 0x1f) {
            return find(function, 1)
                    .map(entry -> new int[] {0, 0, index & 0xff, entry.edx})
                    .orElse(new int[4]);
        }
        return outOfRange(function, index).map(Entry::values).orElse(new int[4]);
    }

    /** get_out_of_range_cpuid_entry: Intel answers as for the highest basic leaf. */
    private Optional<Entry> outOfRange(int function, int index) {
        Optional<Entry> basic = find(0, 0);
        boolean amd = basic.filter(entry -> entry.ebx == 0x6874_7541 || entry.ebx == 0x6f67_7948)
                .isPresent();
        if (basic.isEmpty() || amd) {
            return Optional.empty();
        }
        boolean hypervisor = function >>> 28 == 4;
        Optional<Entry> range = find(hypervisor ? function & 0xffff_ff00 : function & EXTENDED, 0);
        if (range.isPresent() && Integer.compareUnsigned(function, range.get().eax) <= 0) {
            return Optional.empty();
        }
        return find(basic.get().eax, index);
    }

    /** cpuid_query_maxphyaddr. */
    int physicalBits() {
        return find(ADDRESS_SIZES, 0).map(entry -> entry.eax & 0xff).orElse(DEFAULT_BITS);
    }

    /** Bits 15:8 of EAX of leaf 0x80000008: the width of linear addresses; 0 if the table does not say. */
    int linearBits() {
        return find(ADDRESS_SIZES, 0).map(entry -> entry.eax >>> 8 & 0xff).orElse(0);
    }
}
