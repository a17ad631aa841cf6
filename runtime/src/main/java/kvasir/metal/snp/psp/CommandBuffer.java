package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.PageSize;
import kvasir.registry.Bytes;

/** The command buffers as a driver fills them (Linux {@code psp-sev.h}); every form starts with its first operand. */
public final class CommandBuffer {
    private CommandBuffer() {}

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static Bytes of(ByteBuffer buffer) {
        var content = new byte[buffer.capacity()];
        buffer.get(0, content);
        return Bytes.of(content);
    }

    /** One physical address: GCTX_CREATE, DECOMMISSION, PLATFORM_STATUS. */
    public static Bytes address(long spa) {
        return of(buffer(8).putLong(spa));
    }

    /**
     * SNP_INIT_EX.
     *
     * @param ranges address of the range list; 0 for none
     */
    public static Bytes initEx(boolean initRmp, long ranges) {
        return of(buffer(64)
                .putInt((initRmp ? 1 : 0) | (ranges != 0 ? 2 : 0))
                .putInt(0)
                .putLong(ranges));
    }

    /** SNP_SHUTDOWN_EX. */
    public static Bytes shutdownEx(boolean iommu, boolean x86) {
        return of(buffer(8).putInt(8).putInt((iommu ? 1 : 0) | (x86 ? 2 : 0)));
    }

    /** SNP_ACTIVATE. */
    public static Bytes activate(long context, int asid) {
        return of(buffer(12).putLong(context).putInt(asid));
    }

    /** SNP_LAUNCH_START without migration agent. */
    public static Bytes launchStart(long context, long policy, boolean imi, Bytes gosvw) {
        return of(buffer(48)
                .putLong(context)
                .putLong(policy)
                .putLong(0)
                .putInt(imi ? 2 : 0)
                .putInt(0)
                .put(gosvw.toArray()));
    }

    /**
     * SNP_LAUNCH_UPDATE.
     *
     * @param permissions VMPL1 in the low byte, then VMPL2 and VMPL3
     */
    public static Bytes launchUpdate(
            long context, PageSize size, PageType type, boolean imi, long page, int permissions) {
        return of(buffer(32)
                .putLong(context)
                .putInt(size.encoding() | type.code() << 1 | (imi ? 0x10 : 0))
                .putInt(0)
                .putLong(page)
                .putInt(permissions << 8));
    }

    /**
     * SNP_LAUNCH_FINISH.
     *
     * @param idBlock address of the ID block; 0 for none
     * @param idAuthentication address of the ID authentication page
     * @param hostData 32 bytes
     */
    public static Bytes launchFinish(
            long context,
            long idBlock,
            long idAuthentication,
            boolean authorKey,
            boolean vcekDisabled,
            Bytes hostData) {
        return of(buffer(64)
                .putLong(context)
                .putLong(idBlock)
                .putLong(idAuthentication)
                .putLong((idBlock != 0 ? 1 : 0) | (authorKey ? 2 : 0) | (vcekDisabled ? 4 : 0))
                .put(hostData.toArray()));
    }

    /** Two addresses: GUEST_STATUS, and PAGE_MD_INIT with the page that becomes metadata. */
    public static Bytes guestStatus(long context, long output) {
        return of(buffer(16).putLong(context).putLong(output));
    }

    /** SNP_GUEST_REQUEST. */
    public static Bytes guestRequest(long context, long request, long response) {
        return of(buffer(24).putLong(context).putLong(request).putLong(response));
    }

    /** SNP_PAGE_RECLAIM and SNP_PAGE_UNSMASH. */
    public static Bytes page(long spa, PageSize size) {
        return of(buffer(8).putLong(spa | size.encoding()));
    }

    /** SNP_DBG_DECRYPT and SNP_DBG_ENCRYPT. */
    public static Bytes debug(long context, long source, long destination) {
        return of(buffer(24).putLong(context).putLong(source).putLong(destination));
    }

    /** SNP_CONFIG. */
    public static Bytes config(long reportedTcb, boolean maskChipId, boolean maskChipKey) {
        return of(buffer(64).putLong(reportedTcb).putInt((maskChipId ? 1 : 0) | (maskChipKey ? 2 : 0)));
    }

    /** SNP_COMMIT. */
    public static Bytes commit() {
        return of(buffer(4).putInt(4));
    }

    /** SNP_FEATURE_INFO. */
    public static Bytes featureInfo(int ecx, long output) {
        return of(buffer(16).putInt(16).putInt(ecx).putLong(output));
    }

    /** Writes a buffer to memory. */
    public static void write(PhysicalMemory memory, long spa, Bytes buffer) {
        memory.write(spa, buffer.toArray(), 0, buffer.length());
    }
}
