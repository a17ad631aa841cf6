package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.PageState;
import kvasir.metal.snp.Rule;
import kvasir.registry.Bytes;

/** SNP_GUEST_REQUEST: one encrypted message from a guest and the answer to it (SNP ABI, guest messages). */
final class GuestRequests {
    private static final int KEY_RSP_BYTES = 64;
    private static final int TSC_RSP_BYTES = 128;
    private static final int CPUID_HEADER_BYTES = 16;
    private static final int KEY_VCEK = 1;
    private static final int KEY_VLEK = 2;
    private static final int KEY_RESERVED = 3;
    private static final int STATUS_INVALID_PARAM = 0x16;
    private static final int STATUS_INVALID_KEY = 0x27;

    private final Platform platform;
    private final PhysicalMemory memory;

    GuestRequests(Platform platform) {
        this.platform = platform;
        this.memory = platform.memory;
    }

    FirmwareStatus request(long buffer) {
        long at = memory.read64(buffer);
        long requestAt = memory.read64(buffer + 8);
        long responseAt = memory.read64(buffer + 16);
        if (!platform.addressable(at) || !platform.addressable(requestAt) || !platform.addressable(responseAt)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(at);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        GuestContext context = found.get();
        if (context.state() != GuestContext.State.RUNNING) {
            return FirmwareStatus.INVALID_GUEST_STATE;
        }
        if (platform.rmp.state(responseAt) != PageState.FIRMWARE
                || platform.context(responseAt).isPresent()) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        if (platform.rmp.entry(responseAt).size() != PageSize.SIZE_4K) {
            return FirmwareStatus.INVALID_PAGE_SIZE;
        }
        var page = new byte[GuestMessage.PAGE_BYTES];
        memory.read(requestAt, page, 0, page.length);
        GuestMessage message = new GuestMessage(page);
        if (!message.wellFormed() || message.type() % 2 == 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        byte[] key = context.vmpck(message.vmpck()).toArray();
        Optional<byte[]> payload = message.open(key);
        if (payload.isEmpty()) {
            return notAuthentic();
        }
        long count = context.messages(message.vmpck());
        if (count >= -3 && count < 0) {
            return FirmwareStatus.AEAD_OVERFLOW;
        }
        if (message.sequence() != count + 1) {
            return platform.rules.holds(Rule.MESSAGE_SEQUENCE_IS_PARAM) && !platform.asPublished()
                    ? FirmwareStatus.INVALID_PARAM
                    : FirmwareStatus.AEAD_OVERFLOW;
        }
        Optional<byte[]> answer = answer(context, message.type(), message.vmpck(), payload.get());
        if (answer.isEmpty()) {
            return FirmwareStatus.INVALID_PARAM;
        }
        byte[] response =
                GuestMessage.seal(key, message.sequence() + 1, message.type() + 1, message.vmpck(), answer.get());
        memory.write(responseAt, response, 0, response.length);
        context.messages(message.vmpck(), count + 2);
        return FirmwareStatus.SUCCESS;
    }

    private FirmwareStatus notAuthentic() {
        if (platform.asPublished()) {
            return FirmwareStatus.BAD_MEASUREMENT;
        }
        return platform.rules.holds(Rule.MESSAGE_AUTHENTICATION_IS_SIGNATURE)
                ? FirmwareStatus.BAD_SIGNATURE
                : FirmwareStatus.INVALID_PARAM;
    }

    private Optional<byte[]> answer(GuestContext context, int type, int vmpl, byte[] payload) {
        return switch (type) {
            case GuestMessage.CPUID_REQ ->
                payload.length >= CPUID_HEADER_BYTES ? Optional.of(cpuid(payload)) : Optional.empty();
            case GuestMessage.KEY_REQ ->
                payload.length == 32 || payload.length == 40
                        ? Optional.of(key(context, vmpl, payload))
                        : Optional.empty();
            case GuestMessage.REPORT_REQ ->
                payload.length == 96 ? Optional.of(report(context, vmpl, payload)) : Optional.empty();
            case GuestMessage.TSC_INFO_REQ ->
                payload.length == TSC_RSP_BYTES ? Optional.of(tscInfo(payload)) : Optional.empty();
            default -> Optional.empty();
        };
    }

    /** MSG_CPUID_REQ: a CPUID table; the answer has its status and what would have passed (AMD's published firmware). */
    private byte[] cpuid(byte[] payload) {
        ByteBuffer table = ByteBuffer.wrap(payload.clone()).order(ByteOrder.LITTLE_ENDIAN);
        if (!CpuidPage.wellFormed(table)) {
            return status(payload.length, STATUS_INVALID_PARAM);
        }
        boolean passed = CpuidPage.check(table, platform.config.cpuid(), platform.rules);
        table.putInt(4, CpuidPage.architectural(table));
        table.putInt(0, passed ? 0 : STATUS_INVALID_PARAM);
        return table.array();
    }

    /** Which key signs or is derived from: 0 the VLEK if there is one and else the VCEK, 1 the VCEK, 2 the VLEK. */
    private Optional<Bytes> vlek(int keySelect) {
        return keySelect == KEY_VCEK ? Optional.empty() : platform.vlek();
    }

    private boolean keyRefused(int keySelect, GuestContext context) {
        boolean vcek = vlek(keySelect).isEmpty();
        return keySelect == KEY_RESERVED
                || vcek && (keySelect == KEY_VLEK || context.has(GuestContext.Flag.VCEK_DISABLED));
    }

    /** MSG_REPORT_REQ: report data, u32 VMPL not above the sender's privilege, u32 key select. */
    private byte[] report(GuestContext context, int sender, byte[] payload) {
        ByteBuffer in = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
        int vmpl = in.getInt(0x40);
        int keySelect = in.getInt(0x44);
        if (!allZero(payload, 0x48, 96) || (keySelect & ~3) != 0) {
            return status(32, STATUS_INVALID_PARAM);
        }
        if (keyRefused(keySelect, context)) {
            return status(32, STATUS_INVALID_KEY);
        }
        if (vmpl < sender || vmpl > 3) {
            return status(32, STATUS_INVALID_PARAM);
        }
        Optional<Bytes> vlek = vlek(keySelect);
        byte[] report = AttestationReport.build(platform, context, vmpl, Bytes.of(Arrays.copyOf(payload, 64)), vlek);
        byte[] response = status(32 + report.length, 0);
        ByteBuffer.wrap(response).order(ByteOrder.LITTLE_ENDIAN).putInt(4, report.length);
        System.arraycopy(report, 0, response, 32, report.length);
        return response;
    }

    /**
     * MSG_KEY_REQ. The real derivation is secret; here HMAC-SHA-256 under the root key over the selection, the VMPL and
     * each selected field, so that nothing unselected matters. The first word: bit 0 VMRK, 2:1 which of the chip's keys.
     */
    private byte[] key(GuestContext context, int sender, byte[] payload) {
        ByteBuffer in = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
        int root = in.getInt(0);
        long select = in.getLong(8);
        int vmpl = in.getInt(0x10);
        int guestSvn = in.getInt(0x14);
        long tcb = in.getLong(0x18);
        long mitigations = payload.length == 40 ? in.getLong(0x20) : 0;
        long knownFields = payload.length == 40 ? 0x7f : 0x3f;
        int keySelect = root >>> 1 & 3;
        boolean vmrk = (root & 1) != 0;
        if ((root & ~7) != 0 || in.getInt(4) != 0) {
            return status(KEY_RSP_BYTES, STATUS_INVALID_PARAM);
        }
        boolean masked = (platform.configuration() & 2) != 0;
        if (!vmrk && (masked || keyRefused(keySelect, context))) {
            return status(KEY_RSP_BYTES, STATUS_INVALID_KEY);
        }
        boolean invalid = (select & ~knownFields) != 0
                || vmpl < sender
                || vmpl > 3
                || (select & 16) != 0 && Integer.compareUnsigned(guestSvn, context.guestSvn()) > 0
                || (select & 32) != 0 && !Tcb.of(tcb).atMost(Tcb.of(platform.committedTcb()));
        if (invalid) {
            return status(KEY_RSP_BYTES, STATUS_INVALID_PARAM);
        }
        ByteBuffer fields = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
        fields.putLong(select).putInt(vmpl);
        if ((select & 1) != 0) {
            fields.putLong(context.policy().bits());
        }
        if ((select & 2) != 0) {
            fields.put(context.imageId().toArray());
        }
        if ((select & 4) != 0) {
            fields.put(context.familyId().toArray());
        }
        if ((select & 8) != 0) {
            fields.put(context.digest().toArray());
        }
        if ((select & 16) != 0) {
            fields.putInt(guestSvn);
        }
        if ((select & 32) != 0) {
            fields.putLong(tcb);
        }
        if ((select & 64) != 0) {
            fields.putLong(mitigations);
        }
        Bytes chip = vlek(keySelect).orElse(platform.config.seed());
        byte[] rootKey = vmrk
                ? context.vmrk().toArray()
                : Digests.hmac256(chip.toArray(), "CHIP_ROOT_KEY".getBytes(StandardCharsets.US_ASCII));
        var selected = new byte[fields.position()];
        fields.get(0, selected);
        byte[] response = status(KEY_RSP_BYTES, 0);
        System.arraycopy(Digests.hmac256(rootKey, selected), 0, response, 32, 32);
        return response;
    }

    /** MSG_TSC_INFO: scale 1 in 8.32 fixed point, offset and factor 0, as for a guest without Secure TSC. */
    private static byte[] tscInfo(byte[] payload) {
        if (!allZero(payload, 0, TSC_RSP_BYTES)) {
            return status(TSC_RSP_BYTES, STATUS_INVALID_PARAM);
        }
        byte[] response = status(TSC_RSP_BYTES, 0);
        ByteBuffer.wrap(response).order(ByteOrder.LITTLE_ENDIAN).putLong(8, 1L << 32);
        return response;
    }

    private static byte[] status(int bytes, int status) {
        var response = new byte[bytes];
        ByteBuffer.wrap(response).order(ByteOrder.LITTLE_ENDIAN).putInt(0, status);
        return response;
    }

    private static boolean allZero(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }
}
