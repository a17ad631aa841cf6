package kvasir.metal.snp.psp;

import java.util.Optional;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.PageState;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.Rule;

/**
 * Commands that take a page of a guest out of its memory, bring it back, or move it: SWAP_OUT, SWAP_IN, MOVE, and MD_INIT
 * for the pages that hold what is needed to bring others back. Checks are in the order of the firmware that AMD published
 * for Genoa ({@code sev_mcmd.c}, {@code snp_mcmd_swap_out}, {@code snp_mcmd_swap_in}, {@code snp_mcmd_page_move}).
 *
 * <p>A page leaves sealed with AES-256-GCM under the guest's offline encryption key, which its context keeps.
 */
final class SwapCommands {
    private static final int METADATA_PAGE = 1;
    private static final int VMSA_PAGE = 2;
    private static final int ROOT = 1 << 4;
    private static final int IN_PLACE = 1 << 3;

    private final Platform platform;
    private final PhysicalMemory memory;
    private final Rmp rmp;

    SwapCommands(Platform platform) {
        this.platform = platform;
        this.memory = platform.memory;
        this.rmp = platform.rmp;
    }

    /** SNP_PAGE_MD_INIT: u64 context, u64 page. A Firmware page becomes an empty Metadata page of the guest. */
    FirmwareStatus metadataInit(long buffer) {
        long at = memory.read64(buffer);
        long page = memory.read64(buffer + 8);
        if (!platform.addressable(at) || !platform.addressable(page)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(at);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        RmpEntry entry = rmp.entry(page);
        if (entry.pageState() != PageState.FIRMWARE || platform.context(page).isPresent()) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        if (found.get().state() == GuestContext.State.INIT) {
            return FirmwareStatus.INVALID_GUEST_STATE;
        }
        if (entry.size() != PageSize.SIZE_4K) {
            return FirmwareStatus.INVALID_PAGE_SIZE;
        }
        memory.discard(page >>> 12);
        rmp.write(page, metadata(entry, at), "SNP_PAGE_MD_INIT");
        return FirmwareStatus.SUCCESS;
    }

    private RmpEntry metadata(RmpEntry entry, long context) {
        return entry.withGpa(platform.rules.holds(Rule.METADATA_PAGE_HAS_GPA) ? context : 0);
    }

    private boolean ownedMetadata(RmpEntry entry, long context) {
        return !platform.rules.holds(Rule.METADATA_PAGE_HAS_GPA) || entry.gpa() == context;
    }

    private PageState metadataState() {
        return platform.rules.holds(Rule.METADATA_PAGE_HAS_GPA) ? PageState.METADATA : PageState.FIRMWARE;
    }

    /**
     * The arguments of SWAP_OUT and SWAP_IN: u64 context, source, destination, metadata entry, software data; then bit 0 size,
     * 2:1 page type (0 data, 1 metadata, 2 VMSA), 3 in place (SWAP_IN), 4 the entry in the context is meant.
     */
    private record Swap(long context, long source, long destination, long entry, long software, long bits) {
        static Swap read(PhysicalMemory memory, long buffer) {
            return new Swap(
                    memory.read64(buffer),
                    memory.read64(buffer + 8),
                    memory.read64(buffer + 16),
                    memory.read64(buffer + 24),
                    memory.read64(buffer + 32),
                    memory.read64(buffer + 40));
        }

        PageSize size() {
            return PageSize.of(bits);
        }

        int type() {
            return (int) bits >>> 1 & 3;
        }

        boolean root() {
            return (bits & ROOT) != 0;
        }

        boolean inPlace() {
            return (bits & IN_PLACE) != 0;
        }

        boolean aligned() {
            return ((context | source | destination) & 0xfff) == 0;
        }

        /** Whether the metadata entry lies in the source or in the destination. */
        boolean entryOverlaps() {
            return inside(source) || inside(destination);
        }

        private boolean inside(long page) {
            return entry >= page && entry < page + size().bytes();
        }
    }

    FirmwareStatus swapOut(long buffer) {
        Swap swap = Swap.read(memory, buffer);
        if (!swap.aligned() || (swap.bits & ~0x17L) != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        if (!platform.addressable(swap.context)
                || !platform.addressable(swap.source, swap.size())
                || !reachable(swap.destination, swap.size())) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(swap.context);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        FirmwareStatus refused = entryRefusal(swap);
        if (refused != FirmwareStatus.SUCCESS) {
            return refused;
        }
        RmpEntry source = rmp.entry(swap.source);
        if (source.size() != swap.size()
                || rmp.covered(swap.destination) && rmp.entry(swap.destination).size() != swap.size()) {
            return FirmwareStatus.INVALID_PAGE_SIZE;
        }
        refused = guestRefusal(found.get());
        if (refused != FirmwareStatus.SUCCESS) {
            return refused;
        }
        refused = sourceRefusal(swap, source, found.get());
        if (refused != FirmwareStatus.SUCCESS) {
            return refused;
        }
        long iv = found.get().swaps();
        if (iv == -2) {
            return FirmwareStatus.AEAD_OVERFLOW;
        }
        found.get().swaps(iv + 1);
        boolean metadata = swap.type() == METADATA_PAGE;
        if (!metadata) {
            rmp.enterGuestKey(swap.source);
        }
        SwapSeal.Sealed sealed = SwapSeal.seal(found.get().offlineKey(), iv, read(swap.source, swap.size()));
        memory.write(swap.destination, sealed.content(), 0, sealed.content().length);
        rmp.write(
                swap.source,
                metadata ? source.withGpa(0).withVmsa(false) : source.withValidated(false),
                "SNP_PAGE_SWAP_OUT");
        new MetadataEntry(memory, entryAddress(swap))
                .write(swap.software, iv, sealed.tag(), source, swap.type() == VMSA_PAGE, metadata);
        return FirmwareStatus.SUCCESS;
    }

    FirmwareStatus swapIn(long buffer) {
        Swap swap = Swap.read(memory, buffer);
        if (!swap.aligned() || (swap.bits & ~0x1fL) != 0 || swap.software != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        if (!platform.addressable(swap.context)
                || !reachable(swap.source, swap.size())
                || !platform.addressable(swap.destination, swap.size())) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(swap.context);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        FirmwareStatus refused = entryRefusal(swap);
        if (refused == FirmwareStatus.SUCCESS) {
            refused = guestRefusal(found.get());
        }
        if (refused != FirmwareStatus.SUCCESS) {
            return refused;
        }
        var entry = new MetadataEntry(memory, entryAddress(swap));
        if (!entry.valid() || entry.type() != swap.type()) {
            return FirmwareStatus.INVALID_MDATA_ENTRY;
        }
        RmpEntry destination = rmp.entry(swap.destination);
        if (rmp.covered(swap.source) && rmp.entry(swap.source).size() != swap.size()
                || destination.size() != swap.size()
                || entry.size() != swap.size()) {
            return FirmwareStatus.INVALID_PAGE_SIZE;
        }
        refused = destinationRefusal(swap, destination, found.get());
        if (refused != FirmwareStatus.SUCCESS) {
            return refused;
        }
        Optional<byte[]> content =
                SwapSeal.open(found.get().offlineKey(), entry.iv(), entry.tag(), hostView(swap.source, swap.size()));
        if (content.isEmpty()) {
            return FirmwareStatus.BAD_MEASUREMENT;
        }
        memory.write(swap.destination, content.get(), 0, content.get().length);
        if (swap.type() == METADATA_PAGE) {
            rmp.write(swap.destination, metadata(destination, swap.context), "SNP_PAGE_SWAP_IN");
        } else {
            rmp.write(swap.destination, entry.restored(destination), "SNP_PAGE_SWAP_IN");
            rmp.encryptedInPlace(swap.destination);
        }
        entry.invalidate();
        return FirmwareStatus.SUCCESS;
    }

    /** SNP_PAGE_MOVE: u64 context, bit 0 size, u64 source at 16, u64 destination at 24. */
    FirmwareStatus move(long buffer) {
        long at = memory.read64(buffer);
        long bits = memory.read64(buffer + 8);
        long from = memory.read64(buffer + 16);
        long to = memory.read64(buffer + 24);
        if (((at | from | to) & 0xfff) != 0 || (bits & ~1L) != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        PageSize size = PageSize.of(bits);
        if (!platform.addressable(at) || !platform.addressable(from, size) || !platform.addressable(to, size)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(at);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        RmpEntry source = rmp.entry(from);
        RmpEntry destination = rmp.entry(to);
        if (source.size() != size || destination.size() != size) {
            return FirmwareStatus.INVALID_PAGE_SIZE;
        }
        FirmwareStatus refused = guestRefusal(found.get());
        if (refused != FirmwareStatus.SUCCESS) {
            return refused;
        }
        if (guestSource(source) && destination.pageState() == PageState.PRE_GUEST) {
            int asid = found.get().asid();
            if (source.asid() != asid || destination.asid() != asid) {
                return FirmwareStatus.INVALID_PAGE_OWNER;
            }
            moveGuestPage(from, source, to, destination);
            return FirmwareStatus.SUCCESS;
        }
        if (source.pageState() == metadataState() && firmwarePage(to)) {
            if (!ownedMetadata(source, at)) {
                return FirmwareStatus.INVALID_PAGE_OWNER;
            }
            byte[] content = read(from, size);
            memory.write(to, content, 0, content.length);
            rmp.write(from, source.withGpa(0).withVmsa(false), "SNP_PAGE_MOVE");
            rmp.write(to, metadata(destination, at), "SNP_PAGE_MOVE");
            return FirmwareStatus.SUCCESS;
        }
        return FirmwareStatus.INVALID_PAGE_STATE;
    }

    /** The destination becomes what the source was, no longer immutable; the source Guest-Invalid. */
    private void moveGuestPage(long from, RmpEntry source, long to, RmpEntry destination) {
        rmp.enterGuestKey(from);
        byte[] content = read(from, source.size());
        memory.write(to, content, 0, content.length);
        RmpEntry moved = new RmpEntry(
                true,
                source.size(),
                false,
                source.gpa(),
                source.asid(),
                source.vmsa(),
                source.validated(),
                source.permissions(),
                destination.subpageCount());
        rmp.write(from, source.withImmutable(false).withValidated(false), "SNP_PAGE_MOVE");
        rmp.write(to, moved, "SNP_PAGE_MOVE");
        rmp.encryptedInPlace(to);
    }

    private static boolean guestSource(RmpEntry entry) {
        return entry.pageState() == PageState.PRE_SWAP || entry.pageState() == PageState.PRE_GUEST;
    }

    private FirmwareStatus guestRefusal(GuestContext context) {
        if (context.state() == GuestContext.State.INIT) {
            return FirmwareStatus.INVALID_GUEST_STATE;
        }
        return context.asid() == 0 ? FirmwareStatus.INACTIVE : FirmwareStatus.SUCCESS;
    }

    /** Where the metadata entry lies: 64-byte aligned in a metadata page of this guest, in neither page of the swap. */
    private FirmwareStatus entryRefusal(Swap swap) {
        if (swap.root()) {
            return FirmwareStatus.SUCCESS;
        }
        long page = swap.entry & -4096L;
        if (!platform.addressable(page)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        if (swap.entry % MetadataEntry.BYTES != 0 || swap.entryOverlaps()) {
            return FirmwareStatus.INVALID_PARAM;
        }
        RmpEntry entry = rmp.entry(page);
        if (entry.pageState() != metadataState()) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        return ownedMetadata(entry, swap.context) ? FirmwareStatus.SUCCESS : FirmwareStatus.INVALID_PAGE_OWNER;
    }

    private static long entryAddress(Swap swap) {
        return swap.root() ? GuestContext.rootEntry(swap.context) : swap.entry;
    }

    private FirmwareStatus sourceRefusal(Swap swap, RmpEntry source, GuestContext context) {
        boolean metadata = swap.type() == METADATA_PAGE;
        boolean sourceFits = metadata ? source.pageState() == metadataState() : guestSource(source);
        boolean destinationFits = !rmp.covered(swap.destination) || firmwarePage(swap.destination);
        if (swap.type() > VMSA_PAGE || !sourceFits || !destinationFits) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        boolean owned = metadata ? ownedMetadata(source, swap.context) : source.asid() == context.asid();
        return owned ? FirmwareStatus.SUCCESS : FirmwareStatus.INVALID_PAGE_OWNER;
    }

    private FirmwareStatus destinationRefusal(Swap swap, RmpEntry destination, GuestContext context) {
        if (swap.inPlace() && swap.type() != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        if (swap.type() == METADATA_PAGE) {
            return firmwarePage(swap.destination) ? FirmwareStatus.SUCCESS : FirmwareStatus.INVALID_PAGE_STATE;
        }
        if (swap.type() == VMSA_PAGE && swap.size() != PageSize.SIZE_4K) {
            return FirmwareStatus.INVALID_PAGE_SIZE;
        }
        if (swap.inPlace() && swap.source != swap.destination) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        if (destination.pageState() != PageState.PRE_GUEST) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        return destination.asid() == context.asid() ? FirmwareStatus.SUCCESS : FirmwareStatus.INVALID_PAGE_OWNER;
    }

    private boolean firmwarePage(long page) {
        return rmp.state(page) == PageState.FIRMWARE && platform.context(page).isEmpty();
    }

    /** Memory that a command may name although the RMP does not cover it. */
    private boolean reachable(long page, PageSize size) {
        return platform.addressable(page, size)
                || size.aligned(page) && page >= 0 && page <= memory.size() - size.bytes() && !rmp.covered(page);
    }

    private byte[] read(long page, PageSize size) {
        var content = new byte[(int) size.bytes()];
        memory.read(page, content, 0, content.length);
        return content;
    }

    private byte[] hostView(long page, PageSize size) {
        var content = new byte[(int) size.bytes()];
        for (int at = 0; at < content.length; at += 4096) {
            byte[] view = rmp.covered(page + at) ? rmp.hostView(page + at) : read(page + at, PageSize.SIZE_4K);
            System.arraycopy(view, 0, content, at, view.length);
        }
        return content;
    }
}
