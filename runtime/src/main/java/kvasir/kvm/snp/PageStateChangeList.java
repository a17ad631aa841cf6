package kvasir.kvm.snp;

import kvasir.kvm.Seam;
import kvasir.kvm.Seams;
import kvasir.metal.memory.PhysicalMemory;

/**
 * The page-state-change list of a GHCB (NAE event 0x80000010) as KVM works through it (sev.c, snp_begin_psc,
 * snp_complete_psc). Header: u16 cur_entry, u16 end_entry (the index of the last entry, inclusive), u32 zero; entries of 8
 * bytes: 11:0 cur_page, 51:12 gfn, 55:52 operation, 56 page size. Since 7.1 each word is read from guest memory once a step
 * (READ_ONCE). Before, nothing keeps the compiler from reading an entry once to check and once more to use it, and that is
 * what happens here: another vCPU may change it in between.
 */
public final class PageStateChangeList {
    /** Entries that the buffer holds. */
    public static final int MAX_ENTRIES = 253;

    /** SW_EXITINFO2 when all is done. */
    public static final long DONE = 0;

    /** SW_EXITINFO2: user space refused. */
    public static final long GENERIC_ERROR = 0x100L << 32;

    /** SW_EXITINFO2: the header is invalid. */
    public static final long INVALID_HEADER = 1L << 32 | 1;

    /** SW_EXITINFO2: an entry is invalid. */
    public static final long INVALID_ENTRY = 1L << 32 | 2;

    private static final int PRIVATE = 1;
    private static final int SHARED = 2;
    private static final long ATTRIBUTE_ENCRYPTED = 0x10;
    private static final long SIZE_2M = 1;

    private final PhysicalMemory memory;
    private final long buffer;
    private final int most;
    private final Seams seams;
    private final boolean readOnce;
    private int first;
    private int inFlight;

    /** What KVM does next. */
    public sealed interface Step {
        /**
         * It goes to user space with KVM_EXIT_HYPERCALL, KVM_HC_MAP_GPA_RANGE.
         *
         * @param pages 4 KiB pages
         * @param attributes 0x10 private, bit 0 2M
         */
        record MapGpaRange(long gpa, long pages, long attributes) implements Step {}

        /** The guest goes on with this SW_EXITINFO2. */
        record Finished(long exitInfo2) implements Step {}
    }

    /**
     * @param buffer host address of the list: the shared buffer of the GHCB
     * @param most entries that an index may reach: {@link #MAX_ENTRIES}, or what the guest's buffer holds (since 7.1)
     * @param seams asked before each entry is read
     * @param readOnce whether what was checked is what is used
     */
    PageStateChangeList(PhysicalMemory memory, long buffer, int most, Seams seams, boolean readOnce) {
        this.memory = memory;
        this.buffer = buffer;
        this.most = most;
        this.seams = seams;
        this.readOnce = readOnce;
    }

    @Override
    public String toString() {
        return "the page state change list";
    }

    private long entry(int index) {
        seams.at(Seam.USER_COPY, this);
        return memory.read64(entryAddress(index));
    }

    private long entryAddress(int index) {
        return buffer + 8 + 8L * index;
    }

    private static int currentPage(long entry) {
        return (int) entry & 0xfff;
    }

    private static long gfn(long entry) {
        return entry >>> 12 & 0xff_ffff_ffffL;
    }

    private static int operation(long entry) {
        return (int) (entry >>> 52) & 0xf;
    }

    private static boolean large(long entry) {
        return (entry >>> 56 & 1) != 0;
    }

    private static int pages(long entry) {
        return large(entry) ? 512 : 1;
    }

    /** Starts, or goes on after {@link #complete}. */
    public Step next() {
        while (true) {
            int index = memory.read16(buffer) & 0xffff;
            int last = memory.read16(buffer + 2) & 0xffff;
            if (last >= most) {
                return new Step.Finished(INVALID_HEADER);
            }
            long entry = 0;
            int left = 0;
            while (index <= last) {
                entry = entry(index);
                if (currentPage(entry) > pages(entry) || (gfn(entry) & (pages(entry) - 1)) != 0) {
                    return new Step.Finished(INVALID_ENTRY);
                }
                if (!readOnce) {
                    entry = entry(index);
                }
                left = pages(entry) - currentPage(entry);
                if (left != 0) {
                    break;
                }
                index++;
                memory.write16(buffer, (short) index);
            }
            if (index > last) {
                return new Step.Finished(DONE);
            }
            Step.MapGpaRange range = merge(index, last, entry, left);
            if (operation(entry) == PRIVATE || operation(entry) == SHARED) {
                return range;
            }
            markDone();
        }
    }

    /** Joins the entries from {@code index} on that go on where the one before ends. */
    private Step.MapGpaRange merge(int index, int last, long entry, int left) {
        boolean whole = currentPage(entry) == 0;
        boolean large = large(entry) && whole;
        long start = gfn(entry) + currentPage(entry);
        long count = left;
        first = index;
        inFlight = 1;
        for (int next = index + 1; next <= last; next++) {
            long other = entry(next);
            if (operation(other) != operation(entry)
                    || gfn(other) != start + count
                    || currentPage(other) != 0
                    || large(other) != large) {
                break;
            }
            inFlight++;
            count += pages(other);
        }
        long attributes = (operation(entry) == PRIVATE ? ATTRIBUTE_ENCRYPTED : 0) | (large ? SIZE_2M : 0);
        return new Step.MapGpaRange(start << 12, count, attributes);
    }

    /**
     * User space came back.
     *
     * @param ret kvm_run's hypercall.ret
     */
    public Step complete(long ret) {
        if (ret != 0) {
            return new Step.Finished(GENERIC_ERROR);
        }
        markDone();
        return next();
    }

    /** The fields as they are, as an action that puts them back. */
    Runnable checkpoint() {
        int savedFirst = first;
        int savedFlight = inFlight;
        return () -> {
            first = savedFirst;
            inFlight = savedFlight;
        };
    }

    private void markDone() {
        for (int index = first; index < first + inFlight; index++) {
            long entry = memory.read64(entryAddress(index));
            memory.write64(entryAddress(index), entry & ~0xfffL | pages(entry));
        }
        memory.write16(buffer, (short) (first + inFlight));
        inFlight = 0;
    }
}
