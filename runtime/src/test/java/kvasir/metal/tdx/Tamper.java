package kvasir.metal.tdx;

/** Writes where only the module writes, for those who test that somebody notices. */
public final class Tamper {
    private final TdxModule module;
    private final Tdcs tdcs;

    public Tamper(TdxModule module, long tdr) {
        this.module = module;
        tdcs = module.tdr(tdr).orElseThrow().tdcs();
    }

    /** Gives a page a type and an owner in the PAMT. */
    public void page(long hpa, PageType type, long owner) {
        module.pamt().assign(hpa, Pamt.SIZE_4K, type, owner);
    }

    /** Moves the TD to another stage of its life, and leaves its key id where it is. */
    public void lifecycle(Lifecycle stage) {
        tdcs.tdr().setLifecycle(stage);
    }

    public void bepoch(long hpa, long bepoch) {
        module.pamt().setBepoch(hpa, Pamt.SIZE_4K, bepoch);
    }

    /** Takes the lock of a page's PAMT entry and never gives it back. */
    public void lockPage(long hpa, boolean exclusive) {
        module.pamt().lock(hpa, Pamt.SIZE_4K).tryHost(exclusive);
    }

    /** Takes the lock of the S-EPT tree and never gives it back. */
    public void lockTree() {
        tdcs.lock(Tdcs.SEPT_LOCK).tryHost(false);
    }

    /** Changes one byte of MRTD. */
    public void mrtd() {
        tdcs.memory().write8(tdcs.at(Tdcs.MRTD), (byte) (tdcs.memory().read8(tdcs.at(Tdcs.MRTD)) + 1));
    }

    /** Changes one byte of RTMR2. */
    public void rtmr2() {
        tdcs.memory().write8(tdcs.at(Tdcs.RTMR + 2 * Sha384.DIGEST_BYTES), (byte) 1);
    }

    public void vcpuEpoch(Tdvps vcpu, long epoch) {
        vcpu.setU64(Tdvps.VCPU_EPOCH, epoch);
    }

    /** The vCPU looks as if it were inside since {@code epoch}. */
    public void inside(Tdvps vcpu, long epoch) {
        vcpu.setState(VcpuState.VCPU_ACTIVE);
        vcpu.setU64(Tdvps.VCPU_EPOCH, epoch);
        tdcs.addReference(epoch, 1);
    }

    public void tdEpoch(long epoch) {
        tdcs.setU64(Tdcs.TD_EPOCH, epoch);
    }

    /** Clears what TDINFO_STRUCT is made from and TDH.MNG.INIT or TDH.MR.FINALIZE never leave zero. */
    public void clearInfo() {
        tdcs.setU64(Tdcs.ATTRIBUTES, 0);
        tdcs.setU64(Tdcs.XFAM, 0);
        tdcs.memory().write(tdcs.at(Tdcs.MRTD), new byte[Sha384.DIGEST_BYTES], 0, Sha384.DIGEST_BYTES);
    }
}
