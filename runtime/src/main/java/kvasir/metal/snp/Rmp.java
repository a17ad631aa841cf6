package kvasir.metal.snp;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import kvasir.event.Events;
import kvasir.event.Topic;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Outcome;

/**
 * The reverse map table: 16 bytes for each 4 KiB page of covered memory, at the address the registers tell, as real
 * bytes. An object of this class keeps no copy of them.
 *
 * <p>A 2M entry is the entry of the 2M-aligned frame and speaks for all 512 frames; the other 511 are zero.
 */
public final class Rmp implements Described {
    /** Processor bookkeeping before the first entry. */
    public static final long BOOKKEEPING_BYTES = 0x4000;

    /** Bytes of an entry. */
    public static final long ENTRY_BYTES = 16;

    /** Address space of RMP events: system physical addresses. */
    public static final String SPACE = "rmp";

    /** What scripts may do with it. */
    public static final Api<Rmp> API = Api.of(
                    "rmp",
                    Rmp.class,
                    "The reverse map table: who owns each 4 KiB page of host memory (APM 2, 15.36.3).")
            .property(
                    "base",
                    "u64",
                    "System physical address of the table (RMP_BASE).",
                    "show snp.rmp.base",
                    r -> r.registers.base())
            .property("end", "u64", "Address of its last byte (RMP_END).", "show snp.rmp.end", r -> r.registers.end())
            .property(
                    "assigned",
                    "u64",
                    "Number of 4 KiB pages that are assigned to a guest (ASID not 0).",
                    "assert snp.rmp.assigned == 0",
                    r -> r.guestFrames())
            .index(
                    "The entry of the page that holds this system physical address.",
                    "assert snp.rmp[0x100000] is HYPERVISOR",
                    (r, key) -> key instanceof Long address
                            ? r.slot(address)
                            : new Outcome.Failed("EINVAL", "rmp takes an address, not a range", Map.of()))
            .build();

    /** Bit of the second quadword: the bytes of the page are kept as its guest sees them. */
    private static final long KEYED = 1L << 63;

    private final PhysicalMemory memory;
    private final Events events;
    private final RmpRegisters registers;
    private final Set<Long> locked = new LinkedHashSet<>();
    private final Set<Long> running = new LinkedHashSet<>();
    private long changes;

    /** @param registers where the table lies; it must fit into {@code memory} */
    public Rmp(PhysicalMemory memory, Events events, RmpRegisters registers) {
        this.memory = memory;
        this.events = events;
        this.registers = registers;
    }

    /** Where the table lies. */
    public RmpRegisters registers() {
        return registers;
    }

    /** The bytes behind it. */
    public PhysicalMemory memory() {
        return memory;
    }

    /** Whether the page has an entry. */
    public boolean covered(long spa) {
        return entryAddress(spa) >= 0;
    }

    /**
     * Address of the 16-byte entry of the 4 KiB page that holds {@code spa}, or -1 when it has none (Linux
     * {@code __get_rmpentry}).
     */
    public long entryAddress(long spa) {
        long pfn = spa >>> 12;
        if (registers.segmented()) {
            long index = spa >>> registers.segmentShift();
            if (index >= 512) {
                return -1;
            }
            long segment = memory.read64(registers.base() + BOOKKEEPING_BYTES + 8 * index);
            long offset = spa & ((1L << registers.segmentShift()) - 1);
            long mapped = (segment & 0xf_ffff) << 30;
            return offset < mapped ? (segment & 0x000f_ffff_fff0_0000L) + (offset >>> 12) * ENTRY_BYTES : -1;
        }
        long address = registers.base() + BOOKKEEPING_BYTES + pfn * ENTRY_BYTES;
        return pfn >= 0 && pfn < 1L << 40 && address + ENTRY_BYTES - 1 <= registers.end() ? address : -1;
    }

    /** The first quadword of the entry that speaks for the page: its own, or that of its 2M frame. */
    long low(long spa) {
        return memory.read64(entryAddress(authority(spa)));
    }

    long high(long spa) {
        return memory.read64(entryAddress(authority(spa)) + 8);
    }

    /** Address of the frame whose entry speaks for the page: the 2M-aligned one if that is an assigned 2M entry. */
    long authority(long spa) {
        long head = spa & -PageSize.SIZE_2M.bytes();
        long entry = entryAddress(head);
        if (entry >= 0) {
            long low = memory.read64(entry);
            if ((low & (RmpEntry.ASSIGNED | RmpEntry.SIZE_2M)) == (RmpEntry.ASSIGNED | RmpEntry.SIZE_2M)) {
                return head;
            }
        }
        return spa & -4096L;
    }

    /** The entry that speaks for the covered page that holds {@code spa}; the GPA is that of the entry's first byte. */
    public RmpEntry entry(long spa) {
        long address = entryAddress(authority(spa));
        return RmpEntry.decode(memory.read64(address), memory.read64(address + 8));
    }

    /** The entry that speaks for the page, if it has one (Linux {@code snp_lookup_rmpentry}). */
    public Optional<RmpEntry> lookup(long spa) {
        return covered(spa) ? Optional.of(entry(spa)) : Optional.empty();
    }

    /** The state of the page; a page without an entry is the hypervisor's. */
    public PageState state(long spa) {
        return covered(spa) ? entry(spa).pageState() : PageState.HYPERVISOR;
    }

    /** Number of assigned 4K entries in the 2M frame that holds {@code spa}. */
    public int subpageCount(long spa) {
        long head = entryAddress(spa & -PageSize.SIZE_2M.bytes());
        return head < 0 ? 0 : RmpEntry.subpageCount(memory.read64(head + 8));
    }

    /**
     * Writes the entry of {@code spa} as it is (no rule is checked) and keeps Subpage_Count true.
     *
     * @param spa aligned to the size of {@code entry}
     * @param cause for the event
     */
    public void write(long spa, RmpEntry entry, String cause) {
        RmpEntry before = store(spa, entry);
        announce(spa, before, entry, cause);
    }

    void announce(long spa, RmpEntry before, RmpEntry after, String cause) {
        if (events.listening()) {
            events.emit(new RmpChanged(spa, before, after, cause));
        }
    }

    /**
     * Whether the page's bytes are kept as its guest sees them; else as everybody sees them. Bytes change their form when
     * somebody with another key comes: the guest at its first access, the host when the page is taken from the guest.
     */
    public boolean underGuestKey(long spa) {
        return covered(spa) && high(spa) < 0;
    }

    /** The guest that owns the page touches it: its bytes become what its key makes of them. */
    public void enterGuestKey(long spa) {
        long head = authority(spa);
        long address = entryAddress(head) + 8;
        long high = memory.read64(address);
        if (high >= 0) {
            RmpEntry entry = entry(head);
            for (long page = head; page < head + entry.size().bytes(); page += 4096) {
                MemoryEncryption.decrypt(memory, page, entry.asid());
            }
            memory.write64(address, high | KEYED);
            changes++;
        }
    }

    /** Firmware has encrypted the page in place: its bytes are the guest's. */
    public void encryptedInPlace(long spa) {
        long address = entryAddress(authority(spa)) + 8;
        memory.write64(address, memory.read64(address) | KEYED);
    }

    /** SNP_PAGE_UNSMASH: the entry goes, because that of the 2M frame speaks for the page; its bytes stay. */
    public void absorb(long spa) {
        long address = entryAddress(spa) + 8;
        memory.write64(address, memory.read64(address) & ~KEYED);
        write(spa, RmpEntry.HYPERVISOR, "SNP_PAGE_UNSMASH");
    }

    /** What everybody but the owner reads from a page: ciphertext, if it is a guest's. */
    public byte[] hostView(long spa) {
        long page = spa & -4096L;
        var bytes = new byte[4096];
        memory.read(page, bytes, 0, bytes.length);
        return underGuestKey(page)
                ? MemoryEncryption.encrypted(bytes, page, entry(page).asid())
                : bytes;
    }

    /** Counts changes of the table; who caches translations forgets them when it moves. */
    public long changes() {
        return changes;
    }

    /** The page leaves its owner: what is left is ciphertext. */
    private void leaveGuestKey(long spa, long low, long high) {
        if (high < 0) {
            long end = spa + PageSize.of(low >>> 1).bytes();
            for (long page = spa; page < end; page += 4096) {
                MemoryEncryption.encrypt(memory, page, RmpEntry.asid(low));
            }
        }
    }

    /** Tells how an instruction ended. */
    InstructionResult executed(String instruction, long address, InstructionResult result) {
        if (events.listening() && !(result instanceof InstructionResult.WalkFaulted)) {
            events.emit(new InstructionDone(instruction, address, result.word()));
        }
        return result;
    }

    /** Tells how an instruction without exceptions ended. */
    ReturnCode executed(String instruction, long address, ReturnCode code) {
        if (events.listening()) {
            events.emit(new InstructionDone(instruction, address, code.name()));
        }
        return code;
    }

    /** Writes without an event and returns what was there; for changes of many entries that are one event. */
    RmpEntry store(long spa, RmpEntry entry) {
        long address = entryAddress(spa);
        long oldLow = memory.read64(address);
        long oldHigh = memory.read64(address + 8);
        boolean sameOwner = RmpEntry.asid(oldLow) == entry.asid();
        if (!sameOwner) {
            leaveGuestKey(spa, oldLow, oldHigh);
        }
        changes++;
        memory.write64(address, entry.low());
        long high = RmpEntry.withSubpageCount(entry.high(), RmpEntry.subpageCount(oldHigh));
        memory.write64(address + 8, sameOwner ? high | oldHigh & KEYED : high);
        int change = small(entry.low()) - small(oldLow);
        if (change != 0) {
            long head = entryAddress(spa & -PageSize.SIZE_2M.bytes());
            if (head >= 0) {
                long counted = memory.read64(head + 8);
                memory.write64(head + 8, RmpEntry.withSubpageCount(counted, RmpEntry.subpageCount(counted) + change));
            }
        }
        return RmpEntry.decode(oldLow, oldHigh);
    }

    private static int small(long low) {
        return (low & (RmpEntry.ASSIGNED | RmpEntry.SIZE_2M)) == RmpEntry.ASSIGNED ? 1 : 0;
    }

    /** Another processor holds the entry: instructions on it return FAIL_INUSE until {@link #unlock}. */
    public void lock(long spa) {
        locked.add(spa & -4096L);
    }

    /** Gives up what {@link #lock} took. */
    public void unlock(long spa) {
        locked.remove(spa & -4096L);
    }

    boolean isLocked(long spa, PageSize size) {
        return touches(locked, spa, size);
    }

    /** A vCPU runs on this VMSA or VMCB page; VMRUN sets it, the exit ends it. */
    public void running(long spa, boolean runs) {
        if (runs) {
            running.add(spa & -4096L);
        } else {
            running.remove(spa & -4096L);
        }
    }

    /** Whether a vCPU runs on a page of this frame. */
    public boolean isRunning(long spa, PageSize size) {
        return touches(running, spa, size);
    }

    private static boolean touches(Set<Long> pages, long spa, PageSize size) {
        if (pages.isEmpty()) {
            return false;
        }
        if (size == PageSize.SIZE_4K) {
            return pages.contains(spa & -4096L);
        }
        long head = spa & -size.bytes();
        return pages.stream().anyMatch(p -> p >= head && p < head + size.bytes());
    }

    /** The entry of the page that holds {@code spa}, as scripts see it. */
    public RmpSlot slot(long spa) {
        return new RmpSlot(this, spa);
    }

    /** One run of neighbouring pages whose entries differ only in a GPA that advances with the page. */
    public record Run(long start, long end, RmpEntry first) {}

    /** All assigned pages and HV-Fixed pages, in order of address, neighbours joined. */
    public List<Run> runs() {
        var runs = new ArrayList<Run>();
        long spa = 0;
        while (spa < memory.size()) {
            long address = entryAddress(spa);
            if (address < 0 || !memory.materialized(address >>> 12)) {
                spa = nextEntryPage(spa);
                continue;
            }
            RmpEntry entry = RmpEntry.decode(memory.read64(address), memory.read64(address + 8));
            if (!entry.assigned() && !entry.immutable()) {
                spa += 4096;
                continue;
            }
            append(runs, spa, entry);
            spa += entry.size().bytes();
        }
        return runs;
    }

    private long nextEntryPage(long spa) {
        long address = entryAddress(spa);
        if (address < 0) {
            return registers.segmented() ? (spa | ((1L << 30) - 1)) + 1 : memory.size();
        }
        long left = 4096 - (address & 4095);
        return spa + Math.max(1, left / ENTRY_BYTES) * 4096;
    }

    private static void append(List<Run> runs, long spa, RmpEntry entry) {
        if (!runs.isEmpty()) {
            Run last = runs.getLast();
            long gpa = entry.asid() == 0 ? last.first().gpa() : entry.gpa() - (spa - last.start());
            RmpEntry same = new RmpEntry(
                    entry.assigned(),
                    entry.size(),
                    entry.immutable(),
                    gpa,
                    entry.asid(),
                    entry.vmsa(),
                    entry.validated(),
                    entry.permissions(),
                    last.first().subpageCount());
            if (last.end() == spa && same.equals(last.first())) {
                runs.set(
                        runs.size() - 1,
                        new Run(last.start(), spa + entry.size().bytes(), last.first()));
                return;
            }
        }
        runs.add(new Run(spa, spa + entry.size().bytes(), entry));
    }

    /** Number of 4 KiB pages with an ASID. */
    public long guestFrames() {
        return runs().stream()
                .filter(r -> r.first().asid() != 0)
                .mapToLong(r -> (r.end() - r.start()) >>> 12)
                .sum();
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return "rmp";
    }

    @Override
    public String toString() {
        return label();
    }

    @Override
    public Topic topic() {
        return new Topic(SPACE, 0, memory.size());
    }

    @Override
    public Optional<String> picture() {
        var text = new StringBuilder();
        for (Run run : runs()) {
            text.append(text.isEmpty() ? "" : "\n")
                    .append("0x%08x..0x%08x  %s"
                            .formatted(run.start(), run.end(), run.first().describe()));
        }
        return Optional.of(text.isEmpty() ? "no page is assigned" : text.toString());
    }
}
