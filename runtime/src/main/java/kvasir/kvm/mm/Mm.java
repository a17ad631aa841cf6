package kvasir.kvm.mm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import kvasir.event.Events;
import kvasir.kvm.Errno;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.KernelLock;
import kvasir.kvm.Seams;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.registry.Bytes;

/** The VMM process's address space (struct mm_struct). Addresses are hvas in bytes; the user range ends at 2^47. */
public final class Mm {
    /** One past the last user address, less the guard page (TASK_SIZE). */
    public static final long TASK_SIZE = (1L << 47) - 4096;

    private static final long MMAP_BASE = 0x7000_0000_0000L >>> 12;
    private static final long BLOCK = 512;
    private static final long GIGABYTE = BLOCK * BLOCK;

    private final PhysicalMemory memory;
    private final HostPages host;
    private final Seams seams;
    private final Events events;
    private final boolean thp;
    private final KernelLock mmapLock;
    private TreeMap<Long, Vma> vmas = new TreeMap<>();
    private final HostPageTable table;
    private final PageExtents protNone = new PageExtents();
    private final PageRanges poisoned = new PageRanges();
    private final List<MmuNotifier> notifiers = new ArrayList<>();
    private List<HostFile> files = new ArrayList<>();
    private long zeroPage = -1;
    private long hugeZeroPage = -1;
    private final Descriptors descriptors = new Descriptors();
    private final UserFaults userFaults = new UserFaults();
    private boolean capSysBoot = true;
    private long signalAfter = -1;

    /** @param thp whether transparent huge pages exist at all */
    public Mm(PhysicalMemory memory, HostPages host, Seams seams, Events events, boolean thp) {
        this.memory = memory;
        this.host = host;
        this.seams = seams;
        this.events = events;
        this.thp = thp;
        mmapLock = KernelLock.fair("mmap_lock", seams, events);
        table = new HostPageTable(seams);
    }

    /** The lock of the address space: page faults hold it for reading, whoever changes mappings for writing. */
    public KernelLock mmapLock() {
        return mmapLock;
    }

    /** A page fault on a mapping that is not kept here: {@code handler} runs with mmap_lock held for reading. */
    public long faulting(LongSupplier handler) {
        mmapLock.lock(KernelLock.Mode.READ);
        try {
            return handler.getAsLong();
        } finally {
            mmapLock.unlock(KernelLock.Mode.READ);
        }
    }

    private <T> T locked(KernelLock.Mode mode, Supplier<T> body) {
        mmapLock.lock(mode);
        try {
            return body.get();
        } finally {
            mmapLock.unlock(mode);
        }
    }

    /** Whether the process has CAP_SYS_BOOT. */
    public boolean capSysBoot() {
        return capSysBoot;
    }

    /** Gives or takes CAP_SYS_BOOT. */
    public void setCapSysBoot(boolean has) {
        capSysBoot = has;
    }

    /** A signal arrives for the thread in a system call after {@code checks} more looks at it; 0 is now. */
    public void sendSignal(long checks) {
        signalAfter = checks;
    }

    /** signal_pending(current) of a thread that is no vCPU's; the signal is taken when it was seen. */
    public boolean signalPending() {
        if (signalAfter < 0) {
            return false;
        }
        return signalAfter-- == 0;
    }

    /** mmu_notifier_register. */
    public void register(MmuNotifier notifier) {
        notifiers.add(notifier);
    }

    /** mmu_notifier_unregister. */
    public void unregister(MmuNotifier notifier) {
        notifiers.remove(notifier);
    }

    /** VMAs in order. */
    public List<Vma> vmas() {
        return List.copyOf(vmas.values());
    }

    /** Present page-table entries that touch hvas {@code [start, end)}, in order. */
    public List<HostPte> ptes(long start, long end) {
        return table.runs(start >>> 12, (end + 4095) >>> 12);
    }

    /** The present entry run that contains {@code hva}. */
    public Optional<HostPte> pte(long hva) {
        HostPte run = table.find(hva >>> 12);
        return run.pages() == 0 ? Optional.empty() : Optional.of(run);
    }

    /** The process's open files. */
    public Descriptors descriptors() {
        return descriptors;
    }

    /**
     * memfd_create and ftruncate.
     *
     * @param level largest page: 1, 2, or 3
     * @param hugetlb whether every page has that size
     */
    public HostFile memfd(long pages, int level, boolean hugetlb) {
        var file = new HostFile(descriptors.nextFree(), pages, hugetlb || thp ? level : 1, hugetlb);
        descriptors.open(file);
        files.add(file);
        return file;
    }

    /**
     * mmap.
     *
     * @param hva where, or empty to let the kernel choose an address congruent to {@code congruent} modulo 1 GiB
     * @param pages length, at least 1
     * @param like protection, sharing and file of the mapping; its own range is ignored
     */
    public long mmap(Optional<Long> hva, long congruent, long pages, Vma like) {
        return locked(KernelLock.Mode.WRITE, () -> mmapLocked(hva, congruent, pages, like));
    }

    private long mmapLocked(Optional<Long> hva, long congruent, long pages, Vma like) {
        long start = hva.map(at -> at >>> 12).orElseGet(() -> place(pages, congruent >>> 12));
        long end = start + pages;
        if (vmas.lowerEntry(end) != null) {
            munmapPages(start, end);
        }
        insert(new Vma(
                start, end, like.read(), like.write(), like.shared(), like.huge() && thp, like.file(), like.pgoff()));
        return start << 12;
    }

    /** Memory like {@code mmap(MAP_PRIVATE | MAP_ANONYMOUS)}, readable and writable. */
    public static Vma anonymous(boolean huge) {
        return new Vma(0, 0, true, true, false, huge, Optional.empty(), 0);
    }

    /** Memory like {@code mmap(fd)}, readable and writable. */
    public static Vma mapping(HostFile file, long pgoff, boolean shared) {
        return new Vma(0, 0, true, true, shared, true, Optional.of(file), pgoff);
    }

    /** munmap. */
    public IoctlResult munmap(long start, long end) {
        long stop = pageAligned(end);
        Optional<IoctlResult> bad = checkRange(start, stop, "munmap");
        if (bad.isPresent()) {
            return bad.get();
        }
        return locked(KernelLock.Mode.WRITE, () -> {
            munmapPages(start >>> 12, stop >>> 12);
            return IoctlResult.done();
        });
    }

    private static long pageAligned(long address) {
        return address + 4095 & -4096;
    }

    /**
     * mprotect (mprotect.c, do_mprotect_pkey, 6.16): mapping by mapping up to the first hole, which makes it ENOMEM after what
     * lies before the hole has changed. A mapping that has this protection already is passed over.
     */
    public IoctlResult mprotect(long start, long end, boolean read, boolean write) {
        if ((start & 4095) != 0) {
            return IoctlResult.err(Errno.EINVAL, "mprotect: the address is not a multiple of 4 KiB");
        }
        if (start == end) {
            return IoctlResult.done();
        }
        long stop = pageAligned(end);
        if (Long.compareUnsigned(stop, start) <= 0) {
            return IoctlResult.err(Errno.ENOMEM, "mprotect: the range wraps");
        }
        return locked(KernelLock.Mode.WRITE, () -> mprotectLocked(start >>> 12, stop >>> 12, read, write));
    }

    private IoctlResult mprotectLocked(long first, long last, boolean read, boolean write) {
        for (long at = first; at < last; ) {
            Optional<Vma> found = vmaAt(at);
            if (found.isEmpty()) {
                return IoctlResult.err(Errno.ENOMEM, "mprotect: nothing is mapped at 0x%x".formatted(at << 12));
            }
            Vma vma = found.get();
            long end = Math.min(vma.end(), last);
            if (vma.read() != read || vma.write() != write) {
                if (vma.cutsHugetlb(at, end)) {
                    return IoctlResult.err(Errno.EINVAL, "mprotect: the range cuts a hugetlb page");
                }
                change(at, end, part -> part.withProtection(read, write));
                changeProtection(vma, at, end, read, write);
            }
            at = end;
        }
        return IoctlResult.done();
    }

    /**
     * change_protection: notifiers hear of it once for each 512 GiB, from the first GiB that has page tables on, and not at
     * all where nothing is mapped; hugetlb memory tells of all of it (hugetlb.c, hugetlb_change_protection).
     */
    private void changeProtection(Vma vma, long first, long last, boolean read, boolean write) {
        if (vma.hugetlb()) {
            changeEntries(first, last, read, write);
            return;
        }
        for (long at = first; at < last; ) {
            long end = Math.min(last, (at | BLOCK * GIGABYTE - 1) + 1);
            if (table.any(at, end)) {
                long present = table.runs(at, end).getFirst().start();
                changeEntries(Math.max(at, present & -GIGABYTE), end, read, write);
            }
            at = end;
        }
    }

    private void changeEntries(long first, long last, boolean read, boolean write) {
        invalidateStart(first, last);
        for (HostPte run : table.unmap(first, last)) {
            if (read) {
                table.map(run.withWritable(write && run.kind() != HostPte.Kind.ZERO && ownWritable(run)));
            } else {
                stash(run);
            }
        }
        invalidateEnd(first, last);
    }

    /** PROT_NONE and reclaim keep anonymous pages; they come back with the next access. */
    private void stash(HostPte run) {
        if (run.kind() == HostPte.Kind.ANON) {
            protNone.put(run.start(), run.pages(), run.pfn());
        }
    }

    private boolean ownWritable(HostPte run) {
        Vma vma = vmaAt(run.start()).orElseThrow();
        return run.kind() == HostPte.Kind.ANON || vma.shared();
    }

    /** What an advice does to pages {@code [first, last)} of one mapping. */
    @FunctionalInterface
    private interface Advice {
        IoctlResult give(Vma vma, long first, long last);
    }

    /**
     * madvise (madvise.c, madvise_walk_vmas, 6.16): mapping by mapping to the end of the range; holes are stepped over and
     * make it ENOMEM, an error of the advice itself ends it.
     */
    private IoctlResult madvise(KernelLock.Mode mode, long start, long end, Advice advice) {
        long stop = pageAligned(end);
        if ((start & 4095) != 0 || Long.compareUnsigned(stop, start) < 0) {
            return IoctlResult.err(Errno.EINVAL, "madvise: the address is not a multiple of 4 KiB, or the range wraps");
        }
        return locked(mode, () -> madviseLocked(start >>> 12, stop >>> 12, advice));
    }

    private IoctlResult madviseLocked(long first, long last, Advice advice) {
        long at = first;
        boolean hole = false;
        while (at < last) {
            Optional<Vma> found = vmaAt(at);
            if (found.isEmpty()) {
                hole = true;
                Long next = vmas.higherKey(at);
                at = next == null ? last : Math.min(next, last);
                continue;
            }
            long end = Math.min(found.get().end(), last);
            IoctlResult result = advice.give(found.get(), at, end);
            if (!result.succeeded()) {
                return result;
            }
            at = end;
        }
        return hole ? IoctlResult.err(Errno.ENOMEM, "madvise: part of the range is not mapped") : IoctlResult.done();
    }

    /** madvise(MADV_DONTNEED): anonymous pages are lost, pages of files only unmapped. */
    public IoctlResult dontneed(long start, long end) {
        return madvise(KernelLock.Mode.READ, start, end, this::dontneedPart);
    }

    /** madvise_dontneed_free: a hugetlb page of which only the beginning is in the range is left alone. */
    private IoctlResult dontneedPart(Vma vma, long first, long last) {
        if ((first & vma.leafPages() - 1) != 0) {
            return IoctlResult.err(Errno.EINVAL, "madvise: the range begins inside a hugetlb page");
        }
        long end = last & -vma.leafPages();
        if (first < end) {
            tellStart(first, end);
            splitHuge(first);
            splitHuge(end);
            release(first, end);
            invalidateEnd(first, end);
        }
        return IoctlResult.done();
    }

    /**
     * Reclaim takes every page that can be written out or read again (shrink_folio_list, try_to_unmap): notifiers hear of
     * it mapping by mapping, without mmap_lock. What was in the pages comes back with the next access.
     */
    public void reclaim() {
        for (Vma vma : vmas()) {
            if (table.any(vma.start(), vma.end())) {
                invalidateStart(vma.start(), vma.end());
                table.unmap(vma.start(), vma.end()).forEach(this::stash);
                invalidateEnd(vma.start(), vma.end());
            }
        }
    }

    /** Notifiers hear that every mapping is invalidated, and nothing changes: NUMA balancing that ends where it began. */
    public void invalidateAll() {
        for (Vma vma : vmas()) {
            invalidateStart(vma.start(), vma.end());
            invalidateEnd(vma.start(), vma.end());
        }
    }

    /** madvise(MADV_HUGEPAGE), or MADV_NOHUGEPAGE: nothing that is mapped changes. */
    public IoctlResult adviseHuge(long start, long end, boolean huge) {
        return madvise(KernelLock.Mode.WRITE, start, end, (vma, first, last) -> {
            boolean wanted = huge && thp;
            if (vma.huge() != wanted && vma.cutsHugetlb(first, last)) {
                return IoctlResult.err(Errno.EINVAL, "madvise: the range cuts a hugetlb page");
            }
            change(first, last, part -> part.withHuge(wanted));
            return IoctlResult.done();
        });
    }

    /** Changes exactly the pages of a range. */
    private void change(long first, long last, UnaryOperator<Vma> how) {
        cut(first);
        cut(last);
        for (Vma vma : List.copyOf(vmas.subMap(first, last).values())) {
            vmas.put(vma.start(), how.apply(vma));
        }
        merge();
    }

    /** madvise(MADV_COLLAPSE): each aligned 2 MiB of anonymous memory that has a page becomes one huge page. */
    public IoctlResult collapse(long start, long end) {
        return madvise(KernelLock.Mode.WRITE, start, end, this::collapsePart);
    }

    private IoctlResult collapsePart(Vma vma, long first, long last) {
        boolean suitable = ((vma.start() + BLOCK - 1) & -BLOCK) + BLOCK <= vma.end();
        if (!thp || vma.file().isPresent() || !suitable) {
            return IoctlResult.err(Errno.EINVAL, "madvise(MADV_COLLAPSE): not anonymous memory that may be huge");
        }
        for (long block = (first + BLOCK - 1) & -BLOCK; block + BLOCK <= last; block += BLOCK) {
            if (table.any(block, block + BLOCK) && table.find(block).level() == 1) {
                IoctlResult result = collapseBlock(block, vma);
                if (!result.succeeded()) {
                    return result;
                }
            }
        }
        return IoctlResult.done();
    }

    private IoctlResult collapseBlock(long block, Vma vma) {
        long huge = host.allocateHuge(2);
        if (huge < 0) {
            return IoctlResult.err(Errno.ENOMEM, "madvise(MADV_COLLAPSE): no free 2 MiB page");
        }
        invalidateStart(block, block + BLOCK);
        var page = new byte[PhysicalMemory.FRAME_BYTES];
        for (HostPte run : table.unmap(block, block + BLOCK)) {
            for (long p = run.start(); p < run.end(); p++) {
                if (run.kind() == HostPte.Kind.ANON && memory.materialized(run.pfnAt(p))) {
                    memory.read(run.pfnAt(p) << 12, page, 0, page.length);
                    memory.write((huge + p - block) << 12, page, 0, page.length);
                }
            }
            freeRun(run);
        }
        table.map(new HostPte(block, BLOCK, huge, 2, vma.write(), HostPte.Kind.ANON));
        invalidateEnd(block, block + BLOCK);
        return IoctlResult.done();
    }

    /** fallocate(PUNCH_HOLE) on a memfd: every mapping of the pages goes, then the pages. */
    public void punch(HostFile file, long firstIndex, long endIndex) {
        for (Vma vma : vmas()) {
            if (vma.file().filter(f -> f == file).isEmpty()) {
                continue;
            }
            long first = Math.max(vma.start(), vma.start() + firstIndex - vma.pgoff());
            long last = Math.min(vma.end(), vma.start() + endIndex - vma.pgoff());
            if (first < last) {
                invalidateStart(first, last);
                for (HostPte run : table.unmap(first, last)) {
                    if (run.kind() == HostPte.Kind.ANON) {
                        table.map(run);
                    }
                }
                invalidateEnd(first, last);
            }
        }
        for (PageExtents.Run run : file.punch(firstIndex, endIndex)) {
            host.free(run.pfn(), run.pages(), HostPages.Use.MOVABLE);
        }
    }

    /** MAP_POPULATE: faults in what is readable, for writing where private and writable (populate_vma_page_range). */
    public void populate(long start, long end) {
        mmapLock.lock(KernelLock.Mode.READ);
        try {
            populateLocked(start, end);
        } finally {
            mmapLock.unlock(KernelLock.Mode.READ);
        }
    }

    private void populateLocked(long start, long end) {
        long last = end >>> 12;
        for (long page = start >>> 12; page < last; ) {
            Optional<Vma> vma = vmaAt(page);
            if (vma.isEmpty()) {
                Long next = vmas.ceilingKey(page);
                page = next == null ? last : next;
                continue;
            }
            if (!vma.get().read()) {
                page = vma.get().end();
                continue;
            }
            boolean write = vma.get().write() && !vma.get().shared();
            if (fault(page, vma.get(), write) < 0) {
                return;
            }
            HostPte run = table.find(page);
            page = (page & -run.leafPages()) + run.leafPages();
        }
    }

    /** The page at {@code hva} gets an uncorrectable error (memory_failure): it is unmapped, and every access fails. */
    public void poison(long hva) {
        long page = hva >>> 12;
        invalidateStart(page, page + 1);
        table.unmap(page, page + 1);
        poisoned.add(page, page + 1);
        invalidateEnd(page, page + 1);
    }

    /**
     * hva_to_pfn: faults the page in if need be.
     *
     * @param hva any address in the page
     * @param write whether the access is a write
     * @return a {@link Pfn} word; writable if the host page-table entry is, also for a read
     */
    public long gup(long hva, boolean write) {
        long page = hva >>> 12;
        HostPte run = table.find(page);
        if (run.pages() != 0 && (!write || run.writable())) {
            return run.pfnAt(page) | (run.writable() ? Pfn.WRITABLE : 0);
        }
        return faulting(() -> gupSlow(page, write));
    }

    /** The part of it that needs mmap_lock: somebody else may have been quicker. */
    private long gupSlow(long page, boolean write) {
        HostPte run = table.find(page);
        if (run.pages() == 0 || (write && !run.writable())) {
            if (poisoned.contains(page)) {
                return Pfn.HWPOISON;
            }
            Optional<Vma> vma = vmaAt(page);
            if (vma.isEmpty() || !vma.get().read() || (write && !vma.get().write())) {
                return Pfn.FAULT;
            }
            if (fault(page, vma.get(), write) < 0) {
                return Pfn.FAULT;
            }
            run = table.find(page);
        }
        return run.pfnAt(page) | (run.writable() ? Pfn.WRITABLE : 0);
    }

    /**
     * Idle page tracking (page_idle.c) and its like: whether the guest or the VMM has touched a page of hvas {@code [start,
     * end)} since it was last made old. The VMM's own accesses are not kept.
     *
     * @param clear makes the pages old
     */
    public boolean young(long start, long end, boolean clear) {
        boolean young = false;
        for (MmuNotifier notifier : notifiers) {
            young |= notifier.young(start, end, clear);
        }
        return young;
    }

    /** The pfn that an access would find at {@code hva}, without faulting anything in; -1 if there is none. */
    public long peek(long hva) {
        HostPte run = table.find(hva >>> 12);
        if (run.pages() != 0) {
            return run.pfnAt(hva >>> 12);
        }
        return vmaAt(hva >>> 12)
                .flatMap(vma -> vma.file().map(file -> file.peek(vma.index(hva >>> 12))))
                .orElse(-1L);
    }

    /** host_pfn_mapping_level: the level of the host page-table leaf at {@code hva}, 1 if nothing is mapped. */
    public int hostLevel(long hva) {
        return table.find(hva >>> 12).level();
    }

    /** copy_from_user; false if a page of it cannot be read. */
    public boolean read(long hva, byte[] target, int at, int bytes) {
        for (int done = 0; done < bytes; ) {
            long from = hva + done;
            int chunk = (int) Math.min(bytes - done, 4096 - (from & 4095));
            long pfn = from >>> 47 == 0 ? gup(from, false) : Pfn.FAULT;
            if (Pfn.isError(pfn)) {
                return false;
            }
            memory.read((Pfn.pfn(pfn) << 12) + (from & 4095), target, at + done, chunk);
            done += chunk;
        }
        return true;
    }

    /** copy_to_user; false if a page of it cannot be written, by the page tables or by the reverse map. */
    public boolean write(long hva, byte[] source, int at, int bytes) {
        for (int done = 0; done < bytes; ) {
            long to = hva + done;
            int chunk = (int) Math.min(bytes - done, 4096 - (to & 4095));
            long pfn = to >>> 47 == 0 ? gup(to, true) : Pfn.FAULT;
            if (Pfn.isError(pfn)
                    || host.checksWrites()
                            && !host.writable(
                                    Pfn.pfn(pfn), table.find(to >>> 12).level())) {
                return false;
            }
            if (host.checksWrites() && events.listening()) {
                events.emit(new HostWrote((Pfn.pfn(pfn) << 12) + (to & 4095), chunk, "copy_to_user"));
            }
            memory.write((Pfn.pfn(pfn) << 12) + (to & 4095), source, at + done, chunk);
            done += chunk;
        }
        return true;
    }

    /** The VMA that contains page number {@code page}. */
    public Optional<Vma> vmaAt(long page) {
        Map.Entry<Long, Vma> entry = vmas.floorEntry(page);
        return entry == null || entry.getValue().end() <= page ? Optional.empty() : Optional.of(entry.getValue());
    }

    /** All but the page table, as a number ({@link kvasir.kvm.Kvm#fingerprint}). */
    public long fingerprint() {
        long hash = 0;
        for (Vma vma : vmas.values()) {
            hash = hash * 31 + vma.fingerprint();
        }
        hash = hash * 31 + poisoned.runs().toString().hashCode();
        hash = hash * 31 + protNone.runs().toString().hashCode();
        hash = hash * 31 + signalAfter;
        hash = hash * 31 + descriptors.all().keySet().hashCode();
        for (HostFile file : files) {
            hash = hash * 31 + file.fingerprint();
        }
        return hash;
    }

    /** The fields as they are, as an action that puts them back. */
    public Runnable checkpoint() {
        var parts = new ArrayList<Runnable>();
        parts.add(mmapLock.checkpoint());
        parts.add(table.checkpoint());
        parts.add(poisoned.checkpoint());
        parts.add(protNone.checkpoint());
        parts.add(userFaults.checkpoint());
        parts.add(descriptors.checkpoint());
        files.forEach(file -> parts.add(file.checkpoint()));
        var savedVmas = new TreeMap<>(vmas);
        var savedFiles = List.copyOf(files);
        long savedZero = zeroPage;
        long savedHugeZero = hugeZeroPage;
        boolean savedBoot = capSysBoot;
        long savedSignal = signalAfter;
        return () -> {
            capSysBoot = savedBoot;
            signalAfter = savedSignal;
            parts.forEach(Runnable::run);
            vmas = new TreeMap<>(savedVmas);
            files = new ArrayList<>(savedFiles);
            zeroPage = savedZero;
            hugeZeroPage = savedHugeZero;
        };
    }

    /** handle_mm_fault: makes the page present, writable if {@code write}; 0, or -1 when memory is exhausted. */
    private int fault(long page, Vma vma, boolean write) {
        HostPte present = table.find(page);
        if (present.pages() != 0) {
            return write ? makeWritable(page, vma, present) : 0;
        }
        long stashed = protNone.get(page);
        if (stashed >= 0) {
            protNone.remove(page, page + 1);
            return map(page, 1, stashed, 1, vma.write(), HostPte.Kind.ANON);
        }
        if (resolvedByUser(page, vma)) {
            return 0;
        }
        if (vma.file().isPresent()) {
            return fileFault(page, vma, vma.file().get(), write);
        }
        if (write) {
            return newAnonymous(page, vma);
        }
        return zeroFault(page, vma);
    }

    /** handle_userfault, and the thread that waits for it. */
    private boolean resolvedByUser(long page, Vma vma) {
        boolean cached = vma.file().map(file -> file.peek(vma.index(page)) >= 0).orElse(false);
        Optional<UserFaults.Registration> registration =
                userFaults.at(page, cached ? UserFaults.Mode.MINOR : UserFaults.Mode.MISSING);
        if (registration.isEmpty()) {
            return false;
        }
        userFaults.told();
        return (cached
                        ? userfaultContinue(page << 12)
                        : userfaultCopy(page << 12, registration.get().content()))
                .succeeded();
    }

    /**
     * UFFDIO_REGISTER, with a thread that resolves each fault.
     *
     * @param minor whether of pages that the file has and nobody maps; else of missing ones
     * @param content what it copies into a missing page, repeated to fill it
     */
    public IoctlResult userfaultRegister(long start, long end, boolean minor, Bytes content) {
        Optional<IoctlResult> bad = checkRange(start, end, "userfaultfd_register");
        if (bad.isPresent()) {
            return bad.get();
        }
        boolean fits = covered(start >>> 12, end >>> 12)
                && vmas.subMap(vmaAt(start >>> 12).map(Vma::start).orElse(start >>> 12), end >>> 12).values().stream()
                        .allMatch(vma -> vma.file()
                                .map(file -> vma.shared() && file.level() == 1)
                                .orElse(!minor));
        if (!fits) {
            return IoctlResult.err(
                    Errno.EINVAL,
                    "userfaultfd_register: the range has a hole, or a mapping that this mode does not know; here files "
                            + "are shared and made of 4 KiB pages");
        }
        userFaults.register(new UserFaults.Registration(
                start >>> 12, end >>> 12, minor ? UserFaults.Mode.MINOR : UserFaults.Mode.MISSING, content));
        return IoctlResult.done();
    }

    /** UFFDIO_UNREGISTER: of what the range touches. */
    public IoctlResult userfaultUnregister(long start, long end) {
        Optional<IoctlResult> bad = checkRange(start, end, "userfaultfd_unregister");
        bad.ifPresentOrElse(_ -> {}, () -> userFaults.unregister(start >>> 12, end >>> 12));
        return bad.orElseGet(IoctlResult::done);
    }

    /** UFFDIO_COPY of one page. */
    public IoctlResult userfaultCopy(long hva, Bytes content) {
        long page = hva >>> 12;
        Optional<Vma> vma = vmaAt(page);
        if (vma.isEmpty() || userFaults.at(page, UserFaults.Mode.MISSING).isEmpty()) {
            return IoctlResult.err(Errno.ENOENT, "mfill_atomic: the range is not registered");
        }
        boolean there = vma.get()
                .file()
                .map(file -> file.peek(vma.get().index(page)) >= 0)
                .orElse(table.find(page).pages() != 0);
        if (there) {
            return IoctlResult.err(Errno.EEXIST, "mfill_atomic: there is a page already");
        }
        int error = vma.get()
                .file()
                .map(file -> fileFault(page, vma.get(), file, false))
                .orElseGet(() -> newSmall(page));
        if (error < 0) {
            return IoctlResult.err(Errno.ENOMEM, "mfill_atomic: no memory");
        }
        if (content.length() > 0) {
            var bytes = new byte[PhysicalMemory.FRAME_BYTES];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) content.at(i % content.length());
            }
            memory.write(table.find(page).pfnAt(page) << 12, bytes, 0, bytes.length);
        }
        return IoctlResult.done();
    }

    /** UFFDIO_CONTINUE of one page. */
    public IoctlResult userfaultContinue(long hva) {
        long page = hva >>> 12;
        Optional<Vma> vma = vmaAt(page);
        if (vma.isEmpty() || userFaults.at(page, UserFaults.Mode.MINOR).isEmpty()) {
            return IoctlResult.err(Errno.ENOENT, "mfill_atomic: the range is not registered");
        }
        if (table.find(page).pages() != 0) {
            return IoctlResult.err(Errno.EEXIST, "mfill_atomic: the page is mapped already");
        }
        Optional<HostFile> file = vma.get().file();
        if (file.isEmpty() || file.get().peek(vma.get().index(page)) < 0) {
            return IoctlResult.err(Errno.EFAULT, "mfill_atomic_pte_continue: the file has no page there");
        }
        return fileFault(page, vma.get(), file.get(), false) < 0
                ? IoctlResult.err(Errno.ENOMEM, "mfill_atomic: no memory")
                : IoctlResult.done();
    }

    /** How many faults the thread was told of. */
    public long userfaults() {
        return userFaults.faults();
    }

    private int fileFault(long page, Vma vma, HostFile file, boolean write) {
        long index = vma.index(page);
        long pfn = index < file.pages() ? file.page(index, host) : -1;
        if (pfn < 0) {
            return -1;
        }
        if (!vma.shared() && write) {
            return copyToOwn(page, pfn, vma);
        }
        boolean writable = vma.shared() && vma.write();
        int level = file.level();
        if (level == 1) {
            return map(page, 1, pfn, 1, writable, HostPte.Kind.FILE);
        }
        long leaf = 1L << (9 * (level - 1));
        long block = page & -leaf;
        boolean fits = block >= vma.start()
                && block + leaf <= vma.end()
                && (vma.index(block) & (leaf - 1)) == 0
                && file.contiguous(index, leaf)
                && !table.any(block, block + leaf);
        if (fits) {
            return map(block, leaf, pfn - (page - block), level, writable, HostPte.Kind.FILE);
        }
        return map(page, 1, pfn, 1, writable, HostPte.Kind.FILE);
    }

    private int newAnonymous(long page, Vma vma) {
        long block = page & -BLOCK;
        if (hugeFits(block, vma)) {
            long huge = host.allocateHuge(2);
            if (huge >= 0) {
                return map(block, BLOCK, huge, 2, true, HostPte.Kind.ANON);
            }
        }
        long pfn = host.allocate(HostPages.Use.MOVABLE);
        return pfn < 0 ? -1 : map(page, 1, pfn, 1, true, HostPte.Kind.ANON);
    }

    private int zeroFault(long page, Vma vma) {
        long block = page & -BLOCK;
        if (hugeFits(block, vma)) {
            seams.footprint().read("mm.huge_zero_page", hugeZeroPage);
            if (hugeZeroPage < 0) {
                hugeZeroPage = host.allocateHuge(2);
                seams.footprint().wrote("mm.huge_zero_page", -1, hugeZeroPage);
            }
            return map(block, BLOCK, hugeZeroPage, 2, false, HostPte.Kind.ZERO);
        }
        seams.footprint().read("mm.zero_page", zeroPage);
        if (zeroPage < 0) {
            zeroPage = host.allocate(HostPages.Use.UNMOVABLE);
            seams.footprint().wrote("mm.zero_page", -1, zeroPage);
        }
        return map(page, 1, zeroPage, 1, false, HostPte.Kind.ZERO);
    }

    private boolean hugeFits(long block, Vma vma) {
        return vma.huge()
                && block >= vma.start()
                && block + BLOCK <= vma.end()
                && !table.any(block, block + BLOCK)
                && !protNone.any(block, block + BLOCK);
    }

    /** do_wp_page: a write to a present page that is mapped read only although the VMA is writable. */
    private int makeWritable(long page, Vma vma, HostPte present) {
        if (present.writable()) {
            return 0;
        }
        if (present.kind() == HostPte.Kind.ANON || vma.shared()) {
            long block = page & -present.leafPages();
            for (HostPte run : table.unmap(block, block + present.leafPages())) {
                table.map(run.withWritable(true));
            }
            return 0;
        }
        if (present.kind() == HostPte.Kind.ZERO && present.level() == 2) {
            long block = page & -BLOCK;
            invalidateStart(block, block + BLOCK);
            table.unmap(block, block + BLOCK);
            int result = newAnonymous(page, vma);
            invalidateEnd(block, block + BLOCK);
            return result;
        }
        long old = present.pfnAt(page);
        invalidateStart(page, page + 1);
        table.unmap(page, page + 1);
        int result = present.kind() == HostPte.Kind.ZERO ? newSmall(page) : copyToOwn(page, old, vma);
        invalidateEnd(page, page + 1);
        return result;
    }

    private int newSmall(long page) {
        long pfn = host.allocate(HostPages.Use.MOVABLE);
        return pfn < 0 ? -1 : map(page, 1, pfn, 1, true, HostPte.Kind.ANON);
    }

    private int copyToOwn(long page, long source, Vma vma) {
        long pfn = host.allocate(HostPages.Use.MOVABLE);
        if (pfn < 0) {
            return -1;
        }
        if (memory.materialized(source)) {
            var bytes = new byte[PhysicalMemory.FRAME_BYTES];
            memory.read(source << 12, bytes, 0, bytes.length);
            memory.write(pfn << 12, bytes, 0, bytes.length);
        }
        return map(page, 1, pfn, 1, vma.write(), HostPte.Kind.ANON);
    }

    private int map(long start, long pages, long pfn, int level, boolean writable, HostPte.Kind kind) {
        if (pfn < 0) {
            return -1;
        }
        table.map(new HostPte(start, pages, pfn, level, writable, kind));
        return 0;
    }

    private void munmapPages(long first, long last) {
        boolean any = !vmas.subMap(first, last).isEmpty() || vmaAt(first).isPresent();
        if (!any) {
            return;
        }
        cut(first);
        cut(last);
        vmas.subMap(first, last).clear();
        invalidateStart(first, last);
        release(first, last);
        poisoned.remove(first, last);
        invalidateEnd(first, last);
    }

    private void release(long first, long last) {
        for (HostPte run : table.unmap(first, last)) {
            freeRun(run);
        }
        for (PageExtents.Run run : protNone.remove(first, last)) {
            host.free(run.pfn(), run.pages(), HostPages.Use.MOVABLE);
        }
    }

    private void freeRun(HostPte run) {
        if (run.kind() == HostPte.Kind.ANON) {
            host.free(run.pfn(), run.pages(), HostPages.Use.MOVABLE);
        }
    }

    private Optional<IoctlResult> checkRange(long start, long end, String call) {
        boolean bad = ((start | end) & 4095) != 0
                || Long.compareUnsigned(start, end) >= 0
                || Long.compareUnsigned(end, TASK_SIZE) > 0;
        if (bad) {
            return Optional.of(
                    IoctlResult.err(Errno.EINVAL, call + ": the range is empty, unaligned or not in user space"));
        }
        for (Vma vma : vmas.subMap(vmaAt(start >>> 12).map(Vma::start).orElse(start >>> 12), end >>> 12)
                .values()) {
            if (vma.cutsHugetlb(Math.max(vma.start(), start >>> 12), Math.min(vma.end(), end >>> 12))) {
                return Optional.of(IoctlResult.err(Errno.EINVAL, call + ": the range cuts a hugetlb page"));
            }
        }
        return Optional.empty();
    }

    private boolean covered(long first, long last) {
        long at = first;
        while (at < last) {
            Optional<Vma> vma = vmaAt(at);
            if (vma.isEmpty()) {
                return false;
            }
            at = vma.get().end();
        }
        return true;
    }

    private long place(long pages, long congruent) {
        long start = MMAP_BASE;
        for (Vma vma : vmas.values()) {
            start = Math.max(start, vma.end());
        }
        long at = (start & -GIGABYTE) + (congruent & (GIGABYTE - 1));
        return at < start ? at + GIGABYTE : at;
    }

    private void insert(Vma vma) {
        vmas.put(vma.start(), vma);
    }

    private void cut(long page) {
        Map.Entry<Long, Vma> entry = vmas.lowerEntry(page);
        if (entry != null && entry.getValue().end() > page) {
            Vma vma = entry.getValue();
            vmas.put(vma.start(), vma.part(vma.start(), page));
            vmas.put(page, vma.part(page, vma.end()));
        }
    }

    private void merge() {
        Vma previous = anonymous(false);
        for (Vma vma : vmas()) {
            if (previous.end() != 0 && previous.continuedBy(vma)) {
                vmas.remove(vma.start());
                vma = new Vma(
                        previous.start(),
                        vma.end(),
                        vma.read(),
                        vma.write(),
                        vma.shared(),
                        vma.huge(),
                        vma.file(),
                        previous.pgoff());
                vmas.put(vma.start(), vma);
            }
            previous = vma;
        }
    }

    private void invalidateStart(long first, long last) {
        splitHuge(first);
        splitHuge(last);
        tellStart(first, last);
    }

    private void tellStart(long first, long last) {
        for (MmuNotifier notifier : notifiers) {
            notifier.invalidateRangeStart(first << 12, last << 12);
        }
    }

    /**
     * __split_huge_pmd: a huge entry that a range cuts becomes small ones first, and KVM hears of all of it, because the
     * parts of the huge zero page become the small one.
     */
    private void splitHuge(long page) {
        HostPte run = table.find(page);
        long block = page & -run.leafPages();
        if (run.pages() != 0 && block != page) {
            invalidateStart(block, block + run.leafPages());
            table.cut(page);
            invalidateEnd(block, block + run.leafPages());
        }
    }

    private void invalidateEnd(long first, long last) {
        for (MmuNotifier notifier : notifiers) {
            notifier.invalidateRangeEnd(first << 12, last << 12);
        }
    }

    @Override
    public String toString() {
        return "user memory";
    }
}
