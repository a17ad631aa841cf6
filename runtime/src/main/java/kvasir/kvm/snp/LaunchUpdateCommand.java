package kvasir.kvm.snp;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.Errno;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Memslot;
import kvasir.kvm.Seam;
import kvasir.kvm.Vm;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.kvm.mm.HostWrote;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.metal.snp.psp.PageType;

/** KVM_SEV_SNP_LAUNCH_UPDATE (sev.c, snp_launch_update; guest_memfd.c, kvm_gmem_populate; sev_gmem_post_populate). */
final class LaunchUpdateCommand {
    private final SnpVm snp;
    private final Vm vm;
    private LaunchUpdate params;
    private FirmwareStatus firmware = FirmwareStatus.SUCCESS;
    private String inner = "";

    LaunchUpdateCommand(SnpVm snp, LaunchUpdate params) {
        this.snp = snp;
        this.vm = snp.vm();
        this.params = params;
    }

    IoctlResult run() {
        Optional<PageType> type = PageType.of(params.type()).filter(t -> t != PageType.VMSA);
        boolean zeroIsRefused = vm.kvm().version().atLeast(6, 18);
        if (params.len() == 0 && zeroIsRefused || (params.len() & 4095) != 0) {
            return refuse(Errno.EINVAL, "snp_launch_update: len is 0 or not a multiple of 4 KiB");
        }
        if (params.flags() != 0 || type.isEmpty()) {
            return refuse(Errno.EINVAL, "snp_launch_update: flags or page type");
        }
        if (vm.kvm().version().atLeast(7, 0) && type.get() != PageType.ZERO && (params.uaddr() & 4095) != 0) {
            return refuse(Errno.EINVAL, "snp_launch_update: uaddr is not page aligned");
        }
        vm.slotsLock().lock();
        try {
            Memslot slot = vm.memslots(0).lookup(params.gfnStart());
            if (!slot.exists() || !slot.hasGmem()) {
                return refuse(Errno.EINVAL, "snp_launch_update: no slot with a guest_memfd has gfn_start");
            }
            long done = populate(slot, type.get());
            if (done <= 0) {
                return refuse(Errno.EIO, "snp_launch_update: kvm_gmem_populate failed on the first page: " + inner);
            }
            params = params.advanced(done);
            return new IoctlResult.Ok(0, details());
        } finally {
            vm.slotsLock().unlock();
        }
    }

    private IoctlResult refuse(Errno errno, String reason) {
        return new IoctlResult.Err(errno, reason, details());
    }

    private Map<String, ?> details() {
        var details = new LinkedHashMap<String, Object>();
        details.put("left", params.len());
        details.put("gfn_start", params.gfnStart());
        details.put("uaddr", params.uaddr());
        details.put("fw_error", (long) firmware.code());
        details.put("fw_status", firmware.name());
        return details;
    }

    /** kvm_gmem_populate: number of pages done; 0 if the first one failed. */
    private long populate(Memslot slot, PageType type) {
        Optional<GuestMemfd> file = slot.gmem();
        if (file.isEmpty()) {
            inner = "EFAULT, the guest_memfd is closed";
            return 0;
        }
        long pages = Math.min(params.len() >>> 12, slot.endGfn() - params.gfnStart());
        if (pages == 0) {
            inner = "EINVAL, no pages";
        }
        file.get().invalidateLock().lock();
        try {
            for (long i = 0; i < pages; i++) {
                if (!page(file.get(), slot, params.gfnStart() + i, params.uaddr() + (i << 12), type)) {
                    return i;
                }
            }
            return pages;
        } finally {
            file.get().invalidateLock().unlock();
        }
    }

    private boolean page(GuestMemfd file, Memslot slot, long gfn, long uaddr, PageType type) {
        if (vm.mm().signalPending()) {
            return fail("EINTR, a signal is pending");
        }
        long index = slot.gmemIndex(gfn);
        boolean tracked = !vm.kvm().version().atLeast(7, 0);
        if (tracked && file.preparedAt(index)) {
            return fail("EEXIST, the page is in use as guest memory already");
        }
        long pfn = file.folio(index);
        if (pfn < 0) {
            return fail("ENOMEM, memory is exhausted");
        }
        if (!vm.attributes().isPrivate(gfn)) {
            return fail("EINVAL, the gfn is shared by its attribute");
        }
        long spa = pfn << 12;
        Optional<RmpEntry> entry = snp.host().lookup(spa);
        if (entry.isEmpty()) {
            return fail("EINVAL, the page has no RMP entry");
        }
        if (entry.get().assigned()) {
            return fail("EEXIST, the page is assigned in the RMP already");
        }
        var content = new byte[4096];
        if (type != PageType.ZERO) {
            vm.seams().at(Seam.USER_COPY, vm.mm());
            if (!vm.mm().read(uaddr, content, 0, content.length)) {
                return fail("EFAULT, the source cannot be read");
            }
            if (!vm.kvm().pages().writable(pfn)) {
                return fail("EFAULT, the reverse map lets nobody write the page");
            }
            if (vm.events().listening()) {
                vm.events().emit(new HostWrote(spa, content.length, "sev_gmem_post_populate"));
            }
            vm.kvm().memory().write(spa, content, 0, content.length);
        }
        SnpGuest.Added added = snp.guest().add(spa, gfn << 12, type);
        firmware = added.status();
        switch (added.result()) {
            case ADDED -> file.markPrepared(index);
            case LOST -> {
                vm.bug("sev_gmem_post_populate: the page could not be reclaimed");
                return fail("EIO, the page is lost");
            }
            case FIRMWARE_REFUSED -> {
                if (type == PageType.CPUID && firmware == FirmwareStatus.INVALID_PARAM) {
                    vm.kvm().memory().read(spa, content, 0, content.length);
                    vm.mm().write(uaddr, content, 0, content.length);
                }
                return fail("EIO, firmware returned " + firmware);
            }
            case ALREADY_ASSIGNED, RMP_REFUSED -> {
                return fail("EINVAL, RMPUPDATE refused");
            }
        }
        return true;
    }

    private boolean fail(String why) {
        inner = why;
        return false;
    }
}
