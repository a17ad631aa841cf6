package kvasir.metal.snp.psp;

import java.util.Optional;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.PageState;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.Rule;

/** Commands on single pages: RECLAIM, UNSMASH, DBG_DECRYPT, DBG_ENCRYPT. */
final class PageCommands {
    private final Platform platform;
    private final PhysicalMemory memory;
    private final Rmp rmp;

    PageCommands(Platform platform) {
        this.platform = platform;
        this.memory = platform.memory;
        this.rmp = platform.rmp;
    }

    FirmwareStatus reclaim(long buffer) {
        long operand = memory.read64(buffer);
        long page = operand & ~1L;
        PageSize size = PageSize.of(operand);
        if (!platform.addressable(page) || !size.aligned(page)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        RmpEntry entry = rmp.entry(page);
        if (entry.size() != size) {
            return FirmwareStatus.INVALID_PAGE_SIZE;
        }
        if (!entry.immutable() && platform.asPublished()) {
            return FirmwareStatus.SUCCESS;
        }
        boolean reclaimable = switch (entry.pageState()) {
            case FIRMWARE, METADATA, PRE_GUEST, PRE_SWAP ->
                platform.context(page).isEmpty();
            default -> false;
        };
        if (!reclaimable) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        boolean keepsOwner = entry.asid() != 0 && platform.rules.holds(Rule.RECLAIM_KEEPS_OWNER);
        RmpEntry ownerless =
                new RmpEntry(true, size, false, 0, 0, false, false, RmpEntry.DEFAULT_PERMISSIONS, entry.subpageCount());
        rmp.write(page, keepsOwner ? entry.withImmutable(false) : ownerless, "SNP_PAGE_RECLAIM");
        return FirmwareStatus.SUCCESS;
    }

    /** 512 like 4K entries become one 2M entry. */
    FirmwareStatus unsmash(long buffer) {
        long operand = memory.read64(buffer);
        long page = operand & ~1L;
        if (!PageSize.SIZE_2M.aligned(page)) {
            return platform.asPublished() ? FirmwareStatus.INVALID_PARAM : FirmwareStatus.INVALID_ADDRESS;
        }
        if (!platform.addressable(page)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        RmpEntry first = rmp.entry(page);
        if (platform.asPublished() && (!first.immutable() || first.asid() == 0)) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        if (!first.assigned()
                || first.size() != PageSize.SIZE_4K
                || first.vmsa()
                || !PageSize.SIZE_2M.aligned(first.gpa())) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        for (int i = 1; i < PageSize.SIZE_2M.frames(); i++) {
            RmpEntry other = rmp.entry(page + 4096L * i);
            if (other.assigned() && other.asid() != first.asid()) {
                return platform.rules.holds(Rule.UNSMASH_OWNER_IS_OWNER) && !platform.asPublished()
                        ? FirmwareStatus.INVALID_PAGE_OWNER
                        : FirmwareStatus.INVALID_PAGE_STATE;
            }
            long gpa = first.asid() == 0 ? first.gpa() : first.gpa() + 4096L * i;
            RmpEntry like = new RmpEntry(
                    true,
                    PageSize.SIZE_4K,
                    first.immutable(),
                    gpa,
                    first.asid(),
                    false,
                    first.validated(),
                    first.permissions(),
                    other.subpageCount());
            if (!other.equals(like)) {
                return FirmwareStatus.INVALID_PAGE_STATE;
            }
        }
        if (first.asid() != 0) {
            for (int i = 0; i < PageSize.SIZE_2M.frames(); i++) {
                rmp.enterGuestKey(page + 4096L * i);
            }
        }
        for (int i = 1; i < PageSize.SIZE_2M.frames(); i++) {
            rmp.absorb(page + 4096L * i);
        }
        rmp.write(page, first.withSize(PageSize.SIZE_2M), "SNP_PAGE_UNSMASH");
        return FirmwareStatus.SUCCESS;
    }

    /** Copies one page from (decrypt) or to (encrypt) a guest whose policy allows debugging. */
    FirmwareStatus debug(long buffer, boolean decrypt) {
        long at = memory.read64(buffer);
        long source = memory.read64(buffer + 8);
        long destination = memory.read64(buffer + 16);
        if (!platform.addressable(at) || !platform.addressable(source) || !platform.addressable(destination)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(at);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        if (found.get().state() != GuestContext.State.RUNNING) {
            return FirmwareStatus.INVALID_GUEST_STATE;
        }
        if (found.get().asid() == 0) {
            return FirmwareStatus.INACTIVE;
        }
        if (!found.get().policy().debugAllowed()) {
            return FirmwareStatus.POLICY_FAILURE;
        }
        RmpEntry guestPage = rmp.entry(decrypt ? source : destination);
        boolean guests =
                guestPage.pageState() == PageState.GUEST_VALID || guestPage.pageState() == PageState.GUEST_INVALID;
        long other = decrypt ? destination : source;
        boolean otherFits =
                rmp.state(other) == PageState.FIRMWARE || !decrypt && rmp.state(other) == PageState.HYPERVISOR;
        if (!guests || !otherFits) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        if (guestPage.asid() != found.get().asid()) {
            return FirmwareStatus.INVALID_PAGE_OWNER;
        }
        rmp.enterGuestKey(decrypt ? source : destination);
        var content = new byte[4096];
        memory.read(source, content, 0, content.length);
        memory.write(destination, content, 0, content.length);
        return FirmwareStatus.SUCCESS;
    }
}
