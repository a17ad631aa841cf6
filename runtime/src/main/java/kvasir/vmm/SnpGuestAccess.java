package kvasir.vmm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import kvasir.kvm.snp.SnpHost;
import kvasir.metal.snp.Access;
import kvasir.metal.snp.Caller;
import kvasir.metal.snp.GuestInstructions;
import kvasir.metal.snp.GuestWalk;
import kvasir.metal.snp.InstructionResult;
import kvasir.metal.snp.ReturnCode;
import kvasir.metal.snp.RmpCheck;
import kvasir.metal.snp.RmpVerdict;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.metal.snp.psp.GuestMessage;
import kvasir.metal.snp.psp.SnpFirmware;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Outcome;
import kvasir.registry.State;
import kvasir.vmm.attest.ReportVerifier;

/**
 * What the kernel of an SNP guest could do, executed from a script: its memory is mapped one to one with the C-bit set,
 * the nested walk is that of the real NPT.
 */
final class SnpGuestAccess {
    private static final int REPORT_BYTES = 1184;
    private static final int MOST_PAYLOAD = 4000;
    private static final int SECRETS_VMPCK = 0x20;
    private static final int SECRETS_COUNTERS = 0xa0;

    private final SnpHandle handle;
    private final SnpHost host;
    private final int vmpl;
    private final Caller caller;

    SnpGuestAccess(SnpHandle handle, int vmpl, int cpl) {
        this.handle = handle;
        this.host = handle.snp().host();
        this.vmpl = vmpl;
        caller = new Caller(true, true, true, cpl, handle.snp().asid(), vmpl);
    }

    private GuestInstructions instructions() {
        return new GuestInstructions(host.rmp(), host.rules());
    }

    /** The nested walk; empty if the NPT has no leaf. */
    private Optional<GuestWalk.Translated> walk(long gpa) {
        State entry = handle.mmu().table(0).entry(gpa).state().orElseThrow();
        if (!entry.name().equals("leaf")) {
            return Optional.empty();
        }
        long size = (Long) entry.arguments().getFirst();
        long spa = new Arguments(entry.fields()).u64("hpa") | gpa & (size - 1);
        int level = size == 4096 ? 1 : size == 2 << 20 ? 2 : 3;
        return Optional.of(new GuestWalk.Translated(spa, gpa, level, true));
    }

    Outcome pvalidate(long gpa, boolean large, boolean validate) {
        return outcome(gpa, instructions().pvalidate(caller, gpa, large ? 1 : 0, validate ? 1 : 0, this::walk));
    }

    Outcome rmpadjust(long gpa, boolean large, long attributes) {
        return outcome(gpa, instructions().rmpadjust(caller, gpa, large ? 1 : 0, attributes, this::walk));
    }

    Outcome rmpquery(long gpa, long target) {
        return outcome(gpa, instructions().rmpquery(caller, gpa, target, this::walk));
    }

    Outcome access(long gpa, String kind, boolean encrypted) {
        Access access = switch (kind) {
            case "read" -> Access.READ;
            case "write" -> Access.WRITE;
            default -> Access.SUPERVISOR_FETCH;
        };
        Optional<GuestWalk.Translated> walked = walk(gpa);
        if (walked.isEmpty()) {
            return notMapped(gpa, encrypted);
        }
        var check = new RmpCheck(host.rmp(), host.rules());
        long spa = walked.get().spa();
        RmpVerdict verdict = encrypted || access == Access.SUPERVISOR_FETCH
                ? check.guestPrivate(
                        spa, gpa, handle.snp().asid(), vmpl, walked.get().nestedLevel(), access)
                : check.guestShared(spa, access, walked.get().nestedLevel());
        return verdict.allowed() ? Outcome.ok() : refused(gpa, verdict, encrypted);
    }

    private static Outcome notMapped(long gpa, boolean encrypted) {
        long info = RmpVerdict.NPF_FINAL | (encrypted ? RmpVerdict.NPF_ENC : 0);
        return new Outcome.Failed("NPF", "the NPT has no leaf here", Map.of("gpa", gpa, "exitinfo1", info));
    }

    private static Outcome refused(long gpa, RmpVerdict verdict, boolean encrypted) {
        var details = new LinkedHashMap<String, Object>();
        details.put("gpa", gpa);
        if (verdict == RmpVerdict.NOT_VALIDATED) {
            details.put("error", (long) RmpVerdict.VC_NOT_VALIDATED);
            return new Outcome.Failed("VC", "#VC: " + verdict.reason(), details);
        }
        details.put("exitinfo1", verdict.exitInfo1(encrypted) | RmpVerdict.NPF_FINAL);
        details.put("verdict", verdict.name());
        return new Outcome.Failed("NPF", "nested page fault: " + verdict.reason(), details);
    }

    static Outcome outcome(long gpa, InstructionResult result) {
        return switch (result) {
            case InstructionResult.Done(ReturnCode code, boolean carry) ->
                code == ReturnCode.SUCCESS ? new Outcome.Ok(Map.of("carry", carry)) : outcome(code);
            case InstructionResult.Queried(long rcx, long rdx) -> {
                var details = new LinkedHashMap<String, Object>();
                details.put("size", rcx == 0 ? 4096L : 2L << 20);
                details.put("permissions", rdx >>> 8 & 0xff);
                details.put("vmsa", (rdx & 0x1_0000) != 0);
                yield new Outcome.Ok(details);
            }
            case InstructionResult.Raised(int vector) ->
                new Outcome.Failed(
                        vector == 6 ? "UD" : "GP", "the instruction is not legal here", Map.of("vector", (long)
                                vector));
            case InstructionResult.WalkFaulted() -> notMapped(gpa, true);
            case InstructionResult.NestedFault(long at, RmpVerdict verdict) -> refused(at, verdict, true);
            case InstructionResult.NotValidated() -> refused(gpa, RmpVerdict.NOT_VALIDATED, true);
        };
    }

    /** The outcome of an instruction that only has a code. */
    static Outcome outcome(ReturnCode code) {
        return code == ReturnCode.SUCCESS
                ? Outcome.ok()
                : new Outcome.Failed(code.name(), "EAX is " + code.eax(), Map.of("eax", (long) code.eax()));
    }

    static Outcome hostWrite(SnpHost host, long spa, int level) {
        RmpVerdict verdict = new RmpCheck(host.rmp(), host.rules()).hostWrite(spa, level);
        if (verdict.allowed()) {
            return Outcome.ok();
        }
        long code = Integer.toUnsignedLong(RmpCheck.hostErrorCode(false));
        return new Outcome.Failed("PF", "#PF of the host: " + verdict.reason(), Map.of("error", code));
    }

    /**
     * One MSG_REPORT_REQ as Linux's sev-guest driver sends it; the report in the details, or a refusal.
     *
     * @param keySelect KEY_SEL of the request
     */
    Outcome report(long secrets, long through, Bytes data, long keySelect) {
        if (data.length() > 64) {
            return new Outcome.Failed("EINVAL", "more than 64 bytes of data", Map.of());
        }
        byte[] payload = Arrays.copyOf(data.toArray(), 96);
        ByteBuffer.wrap(payload)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0x40, vmpl)
                .putInt(0x44, (int) keySelect);
        Outcome sent = message(secrets, through, GuestMessage.REPORT_REQ, Bytes.of(payload), Optional.empty());
        if (!(sent instanceof Outcome.Ok ok)
                || !(ok.details().get("answer") instanceof Bytes answer)
                || !(ok.details().get("status") instanceof Long status)) {
            return sent;
        }
        return status == 0
                ? fields(Arrays.copyOfRange(answer.toArray(), 32, 32 + REPORT_BYTES))
                : new Outcome.Failed("EIO", "the answer's status is not 0", Map.of("status", status));
    }

    /**
     * One message and its answer, under the VMPCK of the VMPL.
     *
     * @param sequence instead of the next one; the secrets page's counter is then left alone
     */
    Outcome message(long secrets, long through, int type, Bytes payload, Optional<Long> sequence) {
        Optional<Long> page = handle.spa(secrets);
        if (page.isEmpty() || payload.length() > MOST_PAYLOAD) {
            return new Outcome.Failed("EINVAL", "no secrets page there, or too large a payload", Map.of());
        }
        var key = new byte[32];
        host.memory().read(page.get() + SECRETS_VMPCK + 32L * vmpl, key, 0, key.length);
        long counter = page.get() + SECRETS_COUNTERS + 4L * vmpl;
        long count = Integer.toUnsignedLong(host.memory().read32(counter));
        byte[] request = GuestMessage.seal(key, sequence.orElse(count + 1), type, vmpl, payload.toArray());
        Object hva = handle.hva(through);
        if (!(hva instanceof Long address) || !handle.vm().mm().write(address, request, 0, request.length)) {
            return new Outcome.Failed("EFAULT", "no user memory behind the shared pages", Map.of());
        }
        long info = handle.snp().guestRequest(through, through + 4096);
        if (info != 0) {
            var details = new LinkedHashMap<String, Object>();
            details.put("exitinfo2", info);
            Stream.of(FirmwareStatus.values())
                    .filter(status -> status.code() == info)
                    .forEach(status -> details.put("fw_status", status.name()));
            return new Outcome.Failed("EIO", "SW_EXITINFO2 is not 0", details);
        }
        var response = new byte[GuestMessage.PAGE_BYTES];
        handle.vm().mm().read(address + 4096, response, 0, response.length);
        Optional<byte[]> answer = new GuestMessage(response).open(key);
        if (sequence.isEmpty()) {
            host.memory().write32(counter, (int) (count + 2));
        }
        if (answer.isEmpty()) {
            return new Outcome.Failed("EIO", "the answer is not authentic", Map.of());
        }
        var details = new LinkedHashMap<String, Object>();
        details.put(
                "status",
                Integer.toUnsignedLong(ByteBuffer.wrap(answer.get())
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .getInt(0)));
        details.put("answer", Bytes.of(answer.get()));
        return new Outcome.Ok(details);
    }

    /** A report verified up to the platform's root, and its fields. */
    static Outcome verified(SnpFirmware firmware, Bytes report) {
        String verdict;
        try {
            verdict = ReportVerifier.verify(
                    report.toArray(),
                    chain(firmware, report).stream().map(Bytes::toArray).toList());
        } catch (GeneralSecurityException e) {
            verdict = "not readable: " + e.getMessage();
        }
        return verdict.equals("ok")
                ? fields(report.toArray())
                : new Outcome.Failed("EKEYREJECTED", "the report is not to be trusted: " + verdict, Map.of());
    }

    /** The certificates that come with a report, as it says which key has signed it. */
    private static List<Bytes> chain(SnpFirmware firmware, Bytes report) {
        boolean vlek = report.length() == REPORT_BYTES && (report.toArray()[0x48] >>> 2 & 7) == 1;
        return vlek ? firmware.vlekChain().orElse(firmware.certificateChain()) : firmware.certificateChain();
    }

    /** The report and some of its fields. */
    private static Outcome fields(byte[] report) {
        ByteBuffer in = ByteBuffer.wrap(report).order(ByteOrder.LITTLE_ENDIAN);
        var details = new LinkedHashMap<String, Object>();
        details.put("version", (long) in.getInt(0));
        details.put("policy", in.getLong(0x8));
        details.put("vmpl", (long) in.getInt(0x30));
        details.put("report_data", Bytes.of(Arrays.copyOfRange(report, 0x50, 0x90)));
        details.put("measurement", Bytes.of(Arrays.copyOfRange(report, 0x90, 0xc0)));
        details.put("host_data", Bytes.of(Arrays.copyOfRange(report, 0xc0, 0xe0)));
        details.put("id_key_digest", Bytes.of(Arrays.copyOfRange(report, 0xe0, 0x110)));
        details.put("author_key_digest", Bytes.of(Arrays.copyOfRange(report, 0x110, 0x140)));
        details.put(
                "signed_by",
                switch (in.getInt(0x48) >>> 2 & 7) {
                    case 0 -> "VCEK";
                    case 1 -> "VLEK";
                    default -> "NONE";
                });
        details.put("report", Bytes.of(report));
        return new Outcome.Ok(details);
    }
}
