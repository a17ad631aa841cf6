package kvasir.kvm;

import java.util.ArrayList;
import java.util.List;
import kvasir.registry.Bytes;

/**
 * KVM_X86_SET_MSR_FILTER (392 bytes: flags, 16 ranges of flags, nmsrs, base, bitmap): which MSRs a guest may touch
 * (x86.c, kvm_vm_ioctl_set_msr_filter, kvm_msr_allowed). What it denies is as unknown to the guest; user space that asked
 * for it gets an exit with reason 4.
 */
public final class MsrFilter {
    /** Everything is allowed. */
    static final MsrFilter OPEN = new MsrFilter(true, List.of());

    /** KVM_MSR_FILTER_READ. */
    public static final int READ = 1;

    /** KVM_MSR_FILTER_WRITE. */
    public static final int WRITE = 1 << 1;

    private static final long DEFAULT_DENY = 1;
    private static final int MOST_RANGES = 16;
    private static final int MOST_BITMAP_BYTES = 0x600;
    private static final int X2APIC_FIRST = 0x800;
    private static final int X2APIC_LAST = 0x8ff;

    private final boolean defaultAllow;
    private final List<MsrRange> ranges;

    /**
     * struct kvm_msr_filter_range.
     *
     * @param flags READ, WRITE or both
     * @param count nmsrs; a range of none is skipped
     * @param base the first index
     * @param bitmap one bit an MSR, 1 is allowed; rounded up to 8 bytes by the kernel
     */
    public record MsrRange(long flags, long count, long base, Bytes bitmap) {
        boolean contains(long index, int access) {
            return index >= base && index < base + count && (flags & access) != 0;
        }

        boolean allows(long index) {
            long bit = index - base;
            return bit >>> 3 < bitmap.length() && (bitmap.at((int) (bit >>> 3)) >> (bit & 7) & 1) != 0;
        }
    }

    private MsrFilter(boolean defaultAllow, List<MsrRange> ranges) {
        this.defaultAllow = defaultAllow;
        this.ranges = List.copyOf(ranges);
    }

    /** The ioctl: the VM's filter is replaced as a whole, or stays. */
    static IoctlResult set(Vm vm, long flags, List<MsrRange> given) {
        if (vm.copyFaults()) {
            return Check.MSR_FILTER_COPY.refuse("kvm_arch_vm_ioctl: the struct cannot be read");
        }
        if ((flags & ~DEFAULT_DENY) != 0) {
            return Check.MSR_FILTER_FLAGS.refuse("kvm_vm_ioctl_set_msr_filter: a flag other than DEFAULT_DENY");
        }
        boolean empty = given.stream().allMatch(range -> range.count() == 0);
        if (empty && flags == DEFAULT_DENY) {
            return Check.MSR_FILTER_EMPTY.refuse("kvm_vm_ioctl_set_msr_filter: DEFAULT_DENY without any range");
        }
        if (vm.slabFails()) {
            return Check.MSR_FILTER_MEMORY.refuse("kvm_alloc_msr_filter: no memory");
        }
        if (given.size() > MOST_RANGES) {
            return IoctlResult.err(Errno.EINVAL, "struct kvm_msr_filter has 16 ranges");
        }
        var ranges = new ArrayList<MsrRange>();
        for (MsrRange range : given) {
            if (range.count() == 0) {
                continue;
            }
            if (range.flags() == 0 || (range.flags() & ~(READ | WRITE)) != 0) {
                return Check.MSR_FILTER_RANGE_FLAGS.refuse("kvm_add_msr_filter: a range has READ, WRITE or both");
            }
            long bytes = (range.count() + 63) / 64 * 8;
            if (range.count() > 0xffff_ffffL || bytes > MOST_BITMAP_BYTES) {
                return Check.MSR_FILTER_RANGE_SIZE.refuse("kvm_add_msr_filter: the bitmap is larger than 0x600 bytes");
            }
            if (vm.copyFaults() || range.bitmap().length() < (range.count() + 7) / 8) {
                return Check.MSR_FILTER_BITMAP.refuse("kvm_add_msr_filter: the bitmap cannot be read");
            }
            ranges.add(range);
        }
        vm.exitRules().setMsrFilter(new MsrFilter(flags != DEFAULT_DENY, ranges));
        return IoctlResult.done();
    }

    /**
     * kvm_msr_allowed.
     *
     * @param access {@link #READ} or {@link #WRITE}
     */
    public boolean allows(int index, int access) {
        if (index >= X2APIC_FIRST && index <= X2APIC_LAST) {
            return true;
        }
        long unsigned = Integer.toUnsignedLong(index);
        for (MsrRange range : ranges) {
            if (range.contains(unsigned, access)) {
                return range.allows(unsigned);
            }
        }
        return defaultAllow;
    }
}
