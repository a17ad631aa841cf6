package kvasir.kvm.tdx;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;
import kvasir.kvm.Check;
import kvasir.kvm.Errno;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Memslot;
import kvasir.kvm.Seam;
import kvasir.kvm.Vcpu;
import kvasir.kvm.VcpuMmu;
import kvasir.kvm.Vm;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.kvm.mm.Pfn;
import kvasir.kvm.mmu.Level;
import kvasir.kvm.mmu.Pferr;
import kvasir.metal.tdx.Status;

/** KVM_TDX_INIT_MEM_REGION (tdx_vcpu_init_mem_region, kvm_gmem_populate, tdx_gmem_post_populate). */
final class InitMemRegionCommand {
    private static final int MEASURE = 1;

    private final TdxVm td;
    private final Vm vm;
    private final Vcpu vcpu;
    private final MemRegion region;
    private String reason = "";
    private Optional<Check> refusal = Optional.empty();
    private long hwError;

    InitMemRegionCommand(TdxVm td, Vcpu vcpu, MemRegion region) {
        this.td = td;
        this.vm = td.vm();
        this.vcpu = vcpu;
        this.region = region;
    }

    IoctlResult run(int flags) {
        int result = check(flags);
        if (result == 0) {
            result = vcpu.mmu().reload();
        }
        while (result == 0 && region.nrPages() != 0) {
            if (vcpu.signalPending()) {
                result = refuse(Check.TDX_REGION_SIGNAL, "tdx_vcpu_init_mem_region: a signal is pending");
                break;
            }
            result = populate((flags & MEASURE) != 0);
            if (result == 0) {
                region.advance();
            }
        }
        vm.seams().at(Seam.USER_COPY, vcpu.mutex());
        return result == 0
                ? new IoctlResult.Ok(0, details())
                : new IoctlResult.Err(Errno.of(result), reason, details(), refusal);
    }

    private Map<String, ?> details() {
        var details = new LinkedHashMap<String, Object>();
        details.put("left", region.nrPages());
        details.put("gpa", region.gpa());
        if (hwError != 0) {
            details.put("hw_error", hwError);
        }
        return details;
    }

    private int refuse(Errno errno, String why) {
        reason = why;
        return -errno.number();
    }

    private int refuse(Check check, String why) {
        refusal = Optional.of(check);
        return refuse(check.errno(), why);
    }

    private int refuse(Check check, String leaf, long status) {
        hwError = status;
        return refuse(check, leaf + " answered " + Status.describe(status));
    }

    private int check(int flags) {
        if (!td.vcpuInitialised(vcpu)) {
            return refuse(Check.TDX_REGION_VCPU, "tdx_vcpu_init_mem_region: the vCPU is not initialised");
        }
        if ((flags & ~MEASURE) != 0) {
            return refuse(Check.TDX_REGION_FLAGS, "tdx_vcpu_init_mem_region: unknown flag");
        }
        if (vm.copyFaults()) {
            return refuse(Check.TDX_REGION_COPY, "tdx_vcpu_init_mem_region: copy_from_user");
        }
        long end = region.gpa() + (region.nrPages() << 12);
        if (((region.sourceAddr() | region.gpa()) & 4095) != 0) {
            return refuse(Check.TDX_REGION_ALIGNED, "tdx_vcpu_init_mem_region: source_addr or gpa is not page aligned");
        }
        if (region.nrPages() == 0 || Long.compareUnsigned(end, region.gpa()) <= 0) {
            return refuse(Check.TDX_REGION_RANGE, "tdx_vcpu_init_mem_region: nr_pages is 0, or the range wraps");
        }
        if (!td.privateGpa(region.gpa()) || !td.privateGpa(end - 1)) {
            return refuse(Check.TDX_REGION_SHARED, "tdx_vcpu_init_mem_region: the range is not private addresses");
        }
        return 0;
    }

    /** One page. */
    private int populate(boolean measure) {
        Memslot slot = vm.memslots(0).lookup(region.gpa() >>> 12);
        if (!slot.exists() || !slot.hasGmem()) {
            return refuse(Check.TDX_REGION_SLOT, "kvm_gmem_populate: no slot with a guest_memfd has this gpa");
        }
        if (slot.gmem().isEmpty()) {
            return refuse(Check.TDX_REGION_FILE, "kvm_gmem_populate: the guest_memfd is closed");
        }
        GuestMemfd file = slot.gmem().get();
        return switch (td.mode()) {
            case MERGED_6_19 -> pinThenAdd(file, slot, measure);
            case MERGED_6_16 -> locked(file, () -> mapThenAdd(file, slot, measure));
            case PROPOSAL_2024, RFC_SOURCE -> locked(file, () -> verifyThenAdd(file, slot, measure));
        };
    }

    private static int locked(GuestMemfd file, IntSupplier body) {
        file.invalidateLock().lock();
        try {
            return body.getAsInt();
        } finally {
            file.invalidateLock().unlock();
        }
    }

    private boolean isPrivate() {
        return vm.attributes().isPrivate(region.gpa() >>> 12);
    }

    private int notPrivate() {
        return refuse(Check.TDX_REGION_ATTRIBUTE, "kvm_gmem_populate: the page is not private by its attribute");
    }

    /** get_user_pages_fast of the source: its HPA, or a negative errno. */
    private long pin() {
        vm.seams().at(Seam.USER_COPY, vm.mm());
        long word = vm.mm().gup(region.sourceAddr(), false);
        return Pfn.isError(word)
                ? refuse(Check.TDX_REGION_PIN, "tdx_gmem_post_populate: the source page cannot be pinned")
                : Pfn.pfn(word) << 12;
    }

    /** 6.19. */
    private int pinThenAdd(GuestMemfd file, Memslot slot, boolean measure) {
        if (region.sourceAddr() == 0) {
            return refuse(
                    Check.TDX_REGION_IN_PLACE, "tdx_gmem_post_populate: in-place initialisation is not supported");
        }
        long source = pin();
        if (source < 0) {
            return (int) source;
        }
        return locked(file, () -> {
            if (!isPrivate()) {
                return notPrivate();
            }
            if (file.folio(slot.gmemIndex(region.gpa() >>> 12)) < 0) {
                return refuse(Check.TDX_REGION_MEMORY, "kvm_gmem_populate: memory is exhausted");
            }
            td.sept().pageAddSource(source);
            int mapped = map();
            td.sept().pageAddSource(-1);
            if (mapped < 0) {
                return notMapped(mapped, "kvm_tdp_mmu_map_private_pfn");
            }
            if (mapped != VcpuMmu.FIXED) {
                return refuse(Check.TDX_REGION_MAPPED, "kvm_tdp_mmu_map_private_pfn: the page is mapped already");
            }
            return extend(measure);
        });
    }

    /** 6.16. */
    private int mapThenAdd(GuestMemfd file, Memslot slot, boolean measure) {
        long index = slot.gmemIndex(region.gpa() >>> 12);
        if (file.folio(index) < 0) {
            return refuse(Check.TDX_REGION_MEMORY, "kvm_gmem_populate: memory is exhausted");
        }
        if (file.preparedAt(index)) {
            return refuse(Check.TDX_REGION_POPULATED, "kvm_gmem_populate: the page is populated already");
        }
        if (!isPrivate()) {
            return notPrivate();
        }
        long source = pin();
        if (source < 0) {
            return (int) source;
        }
        int result = map();
        if (result < 0) {
            notMapped(result, "kvm_tdp_map_page: gpa 0x%x".formatted(region.gpa()));
        } else if (result == VcpuMmu.EMULATE) {
            result = refuse(Errno.ENOENT, "kvm_tdp_map_page: no slot has this gpa");
        } else {
            result = add(file.folio(index), source);
            if (result == 0) {
                result = extend(measure);
            }
        }
        if (result != 0) {
            file.forgetPrepared(index);
        }
        return result;
    }

    /** March 2024. */
    private int verifyThenAdd(GuestMemfd file, Memslot slot, boolean measure) {
        if (!isPrivate()) {
            return notPrivate();
        }
        long mapped = td.mirrorPfn(region.gpa());
        if (mapped < 0) {
            return refuse(
                    Errno.ENOENT,
                    "init_mem_region maps nothing: the mirror has no leaf for this gpa, map_memory comes first (errno of this model; the thread names none)");
        }
        if (mapped != file.folio(slot.gmemIndex(region.gpa() >>> 12))) {
            return refuse(
                    Errno.EAGAIN,
                    "the guest_memfd page is not the one in the mirror (errno of this model; the thread names none)");
        }
        long source = pin();
        if (source < 0) {
            return (int) source;
        }
        int result = add(mapped, source);
        return result == 0 ? extend(measure) : result;
    }

    private int notMapped(int result, String why) {
        Errno errno = Errno.of(result);
        return switch (errno) {
            case EBUSY -> refuse(Check.TDX_REGION_BUSY, why);
            case EIO -> refuse(Check.TDX_REGION_ADD, why);
            default -> refuse(errno, why);
        };
    }

    private int map() {
        return vcpu.mmu().tdpMapPage(region.gpa(), Pferr.GUEST_FINAL | Pferr.PRIVATE_ACCESS, Level.PG_4K, true, true);
    }

    private int add(long pfn, long source) {
        long status = td.pageAdd(region.gpa(), pfn, source);
        if (status != 0) {
            return refuse(
                    Status.OPERAND_BUSY.is(status) ? Check.TDX_REGION_BUSY : Check.TDX_REGION_ADD,
                    "TDH.MEM.PAGE.ADD",
                    status);
        }
        td.sept().added();
        return 0;
    }

    private int extend(boolean measure) {
        long status = measure ? td.extend(region.gpa()) : 0;
        if (status == 0) {
            return 0;
        }
        if (td.mode() == InitMemRegionMode.MERGED_6_19) {
            td.bug("TDH.MR.EXTEND", status);
        }
        return refuse(Check.TDX_REGION_EXTEND, "TDH.MR.EXTEND", status);
    }
}
