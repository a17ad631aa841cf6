package kvasir.kvm;

import java.util.Optional;
import kvasir.metal.cpu.Cpu;

/**
 * What the vendor module of a VM type answers for memory (struct kvm_x86_ops). The defaults are those of a VM without
 * protection: {@link #NONE}.
 *
 * <p>An {@code int} is 0 or a negative errno ({@code -Errno.EBUSY.number()}). Levels are KVM's: 1 = 4 KiB, 2 = 2 MiB,
 * 3 = 1 GiB.
 */
public interface VendorOps {
    /** DEFAULT and SW_PROTECTED VMs. */
    VendorOps NONE = new VendorOps() {};

    /**
     * The gfn bits that select the direct (shared) tables (kvm_gfn_direct_bits): 0, or the TDX shared bit in gfn units.
     */
    default long gfnDirectBits() {
        return 0;
    }

    /**
     * The constant under the MMIO mask that tells an MMIO SPTE, if it is not the hardware's misconfiguration value:
     * TDX uses 0, so that the guest gets a #VE (kvm->arch.shadow_mmio_value).
     */
    default long mmioValue(long hardwareValue) {
        return hardwareValue;
    }

    /** What the vendor's objects hold beside memory, as a number that is the same for the same state in every run. */
    default long fingerprint() {
        return 0;
    }

    /** Whether {@link #fingerprint} tells everything: what is not told can only be explored by runs from the start. */
    default boolean fingerprinted() {
        return true;
    }

    /**
     * A mirror entry is about to point to a new table; the entry is FROZEN meanwhile (link_external_spt).
     *
     * @param gfn first gfn under the entry
     * @param level level of the entry that points to the table, 2 and up; the table's own level is one less
     * @param externalPfn page to donate as the external table
     */
    default int linkExternalSpt(long gfn, int level, long externalPfn) {
        return 0;
    }

    /**
     * A mirror leaf is about to be set; the entry is FROZEN meanwhile (set_external_spte).
     *
     * @param spte the value the leaf will get
     */
    default int setExternalSpte(long gfn, int level, long spte) {
        return 0;
    }

    /**
     * A mirror leaf was made non-present under mmu_lock held for writing (remove_external_spte). It cannot fail: a
     * vendor that cannot do it bugs the VM.
     *
     * @param oldSpte the leaf's last value
     */
    default void removeExternalSpte(long gfn, int level, long oldSpte) {}

    /** A mirror table is freed, at teardown only (free_external_spt). {@code level} is the table's own. */
    default void freeExternalSpt(long gfn, int level, long externalPfn) {}

    /**
     * Cap on the level of a mapping of {@code pfn} from guest_memfd (gmem_max_mapping_level; private_max_mapping_level
     * in older kernels).
     */
    default int gmemMaxMappingLevel(long pfn, boolean isPrivate) {
        return 3;
    }

    /**
     * A guest_memfd page is about to be mapped privately (gmem_prepare).
     *
     * @param maxOrder log2 of the pages that may be prepared together
     */
    default int gmemPrepare(long pfn, long gfn, int maxOrder) {
        return 0;
    }

    /** guest_memfd pages are about to be freed (gmem_invalidate). */
    default void gmemInvalidate(long startPfn, long endPfn) {}

    /**
     * RFC v1's hook after a page was mapped by KVM_MAP_MEMORY: copies {@code source} into the page, adds and measures
     * it.
     *
     * @param source hva of the page's content; 0 if none
     * @return 0 or a negative errno; -EOPNOTSUPP if the VM type has no such hook
     */
    default int mapMemorySource(Vcpu vcpu, long gfn, int level, long source) {
        return -Errno.EOPNOTSUPP.number();
    }

    /** The processor that executes the guest's code, for those who count its time. */
    default Cpu processor(Vcpu vcpu) {
        return vcpu.cpu();
    }

    /** KVM_CREATE_VCPU is about to create a vCPU (vcpu_create): the check that refuses, if one does. */
    default Optional<Check> vcpuCreate() {
        return Optional.empty();
    }

    /** How many vCPUs the VM may have (kvm->max_vcpus). */
    default int maxVcpus() {
        return 1024;
    }

    /**
     * KVM_RUN of a vCPU whose guest only the vendor can enter.
     *
     * @param budget instructions after which the guest is taken for an endless loop
     * @return empty if KVM's own loop runs it
     */
    default Optional<RunResult> run(Vcpu vcpu, long budget) {
        return Optional.empty();
    }

    /** INIT of a vCPU (vcpu_reset). */
    default void vcpuReset(Vcpu vcpu) {
        vcpu.cpu().init();
    }

    /** A start-up IPI of a vCPU that waits for it (vcpu_deliver_sipi_vector). */
    default void vcpuDeliverSipiVector(Vcpu vcpu, int vector) {
        vcpu.cpu().startup(vector);
    }

    /** Whether the registers of a vCPU are out of KVM's reach (guest_state_protected): its register ioctls fail. */
    default boolean stateProtected(Vcpu vcpu) {
        return false;
    }

    /** The fields as they are, as an action that puts them back. */
    default Runnable checkpoint() {
        return () -> {};
    }
}
