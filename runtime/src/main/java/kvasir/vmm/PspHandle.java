package kvasir.vmm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.event.Topic;
import kvasir.kvm.mm.HostPages;
import kvasir.kvm.snp.SnpHost;
import kvasir.metal.snp.RmpCheck;
import kvasir.metal.snp.psp.FirmwareCommand;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.metal.snp.psp.SnpFirmware;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;

/** The security processor as the host's driver uses it, one command at a time. */
final class PspHandle implements Described {
    static final Api<PspHandle> API = declare(Api.of(
                    "psp", PspHandle.class, "The security processor: firmware commands with the buffers as given."))
            .build();

    private static final int QUADS = 8;
    private static final int PAGE = 4096;

    private final String owner;
    private final SnpHost host;

    PspHandle(String owner, SnpHost host) {
        this.owner = owner;
        this.host = host;
    }

    private static Api.Builder<PspHandle> declare(Api.Builder<PspHandle> api) {
        return api.operation(
                        "command",
                        parameters(),
                        "One command. Its buffer is zero but for the quadwords at the offsets named (layouts: SNP ABI; "
                                + "docs/fidelity-snp.md). Failures are the firmware's statuses by name.",
                        "g.psp.command SNP_ACTIVATE q0 g.gctx q8 5 -> ACTIVE",
                        PspHandle::command)
                .operation(
                        "raw",
                        List.of(
                                Parameter.of("id", Kind.U64, "", "number of the command"),
                                VmHandle.keyword("buffer", Kind.U64, "bytes", "host address of the command buffer")),
                        "A command by its number and the address of its buffer, which need not make sense.",
                        "g.psp.raw 0xff -> INVALID_COMMAND",
                        (p, a) -> outcome(p.host.firmware().issue((int) a.u64("id"), a.u64("buffer", 0))))
                .operation(
                        "page",
                        List.of(VmBuilder.flag("firmware", "in Firmware state, as snp_alloc_firmware_page makes it")),
                        "Host address of a fresh page of the host, zero filled.",
                        "let page = g.psp.page firmware",
                        (p, a) -> a.flag("firmware")
                                ? p.host.allocateFirmwarePage()
                                : (Object) (p.host.pages().allocate(HostPages.Use.UNMOVABLE) << 12))
                .operation(
                        "huge_page",
                        List.of(),
                        "Host address of a fresh 2M frame of the host.",
                        "let frame = g.psp.huge_page",
                        (p, _) -> p.host.pages().allocateHuge(2) << 12)
                .operation(
                        "put",
                        List.of(
                                Parameter.of("spa", Kind.U64, "bytes", "host address"),
                                Parameter.of("bytes", Kind.BYTES, "", "what to write, within one page")),
                        "The host's kernel writes there: ok, or PF if the RMP refuses.",
                        "g.psp.put page hex\"01\"",
                        (p, a) -> p.put(a.u64("spa"), a.bytes("bytes")))
                .operation(
                        "fail",
                        List.of(
                                Parameter.of("error", Kind.WORD, "", "what the next command answers")
                                        .among("HWERROR_PLATFORM", "HWERROR_UNSAFE"),
                                VmHandle.keyword("times", Kind.U64, "", "commands that fail; 1 if left out")),
                        "Fault injection: the security processor's hardware fails during the next command, or so many.",
                        "g.psp.fail HWERROR_UNSAFE",
                        (p, a) -> {
                            p.host.firmware().fail(FirmwareStatus.valueOf(a.string("error")), (int) a.u64("times", 1));
                            return Outcome.ok();
                        })
                .operation(
                        "messages",
                        List.of(
                                Parameter.of("context", Kind.U64, "bytes", "gctx"),
                                Parameter.of("count", Kind.U64, "", "messages so far under VMPCK0")),
                        "The firmware's message count becomes what it would be after so many messages. No command does "
                                + "this; it takes a guest 2^64 messages.",
                        "g.psp.messages g.gctx 0xffff_ffff_ffff_fffe",
                        (p, a) -> p.host.firmware().seedMessages(a.u64("context"), 0, a.u64("count"))
                                ? Outcome.ok()
                                : outcome(FirmwareStatus.INVALID_GUEST))
                .operation(
                        "range",
                        List.of(
                                Parameter.of("list", Kind.U64, "bytes", "host address of the list's page"),
                                Parameter.of("base", Kind.U64, "bytes", "host address of the range"),
                                Parameter.of("pages", Kind.U64, "", "4K pages in it")),
                        "Makes the page a RANGE_LIST of this one range, for SNP_INIT_EX and SNP_PAGE_SET_STATE.",
                        "g.psp.range list frame 512",
                        (p, a) -> p.put(a.u64("list"), range(a.u64("base"), a.u64("pages"))))
                .operation(
                        "wrapped_vlek",
                        List.of(Parameter.of("tcb", Kind.U64, "", "TCB version; the reported one if left out")
                                .orAbsent()),
                        "What the vendor's key server wraps for this chip: 432 bytes for SNP_VLEK_LOAD.",
                        "g.psp.put page g.psp.wrapped_vlek()",
                        (p, a) -> p.host.firmware()
                                .wrappedVlek(a.u64("tcb", p.host.firmware().reportedTcb())))
                .operation(
                        "firmware_image",
                        List.of(
                                Parameter.of("major", Kind.U64, "", "of its version"),
                                Parameter.of("minor", Kind.U64, "", "of its version"),
                                Parameter.of("build", Kind.U64, "", "of its version"),
                                Parameter.of("svn", Kind.U64, "", "security version, the SNP part of the TCB")),
                        "An image signed by the vendor, for SNP_DOWNLOAD_FIRMWARE_EX (a format of the emulation's own).",
                        "g.psp.put page g.psp.firmware_image(1, 56, 1, 9)",
                        (p, a) -> SnpFirmware.firmwareImage(
                                (int) a.u64("major"), (int) a.u64("minor"), (int) a.u64("build"), (int) a.u64("svn")))
                .operation(
                        "swaps",
                        List.of(
                                Parameter.of("context", Kind.U64, "bytes", "gctx"),
                                Parameter.of("count", Kind.U64, "", "pages swapped out so far")),
                        "The firmware's count of swapped pages, which is the next IV, becomes what it would be after so many. "
                                + "No command does this.",
                        "g.psp.swaps g.gctx 0xffff_ffff_ffff_fffe",
                        (p, a) -> p.host.firmware().seedSwaps(a.u64("context"), a.u64("count"))
                                ? Outcome.ok()
                                : outcome(FirmwareStatus.INVALID_GUEST))
                .operation("wbinvd", List.of(), "WBINVD on all cores.", "g.psp.wbinvd", (p, _) -> {
                    p.host.firmware().wbinvdOnAllCores();
                    return Outcome.ok();
                })
                .property(
                        "initialised",
                        "bool",
                        "Whether SNP_INIT was done and SNP_SHUTDOWN was not.",
                        "assert g.psp.initialised",
                        p -> p.host.firmware().initialised());
    }

    private static List<Parameter> parameters() {
        var parameters = new java.util.ArrayList<Parameter>();
        parameters.add(Parameter.of("name", Kind.WORD, "", "SNP_*")
                .among(Arrays.stream(FirmwareCommand.values()).map(Enum::name).toArray(String[]::new)));
        for (int quad = 0; quad < QUADS; quad++) {
            parameters.add(VmHandle.keyword("q" + 8 * quad, Kind.U64, "", "8 bytes at offset " + 8 * quad));
        }
        return List.copyOf(parameters);
    }

    private Outcome command(Arguments a) {
        var buffer = new byte[PAGE];
        for (int quad = 0; quad < QUADS; quad++) {
            long value = a.u64("q" + 8 * quad, 0);
            for (int i = 0; i < 8; i++) {
                buffer[8 * quad + i] = (byte) (value >>> (8 * i));
            }
        }
        return outcome(host.command(FirmwareCommand.valueOf(a.string("name")), Bytes.of(buffer)));
    }

    private static Bytes range(long base, long pages) {
        var list = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        return Bytes.of(list.putLong(1).putLong(base).putLong(pages).array());
    }

    private static Outcome outcome(FirmwareStatus status) {
        return status == FirmwareStatus.SUCCESS
                ? Outcome.ok()
                : new Outcome.Failed(
                        status.name(),
                        "the firmware's status is 0x%02x".formatted(status.code()),
                        Map.of("status", (long) status.code()));
    }

    private Outcome put(long spa, Bytes bytes) {
        if ((spa & PAGE - 1) + bytes.length() > PAGE
                || Long.compareUnsigned(spa, host.memory().size()) >= 0) {
            return new Outcome.Failed("EFAULT", "put writes within one page of host memory", Map.of());
        }
        if (!new RmpCheck(host.rmp(), host.rules()).hostWrite(spa, 1).allowed()) {
            return SnpGuestAccess.hostWrite(host, spa, 1);
        }
        host.memory().write(spa, bytes.toArray(), 0, bytes.length());
        return Outcome.ok();
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return owner + ".psp";
    }

    @Override
    public Topic topic() {
        return Topic.of("psp", 0, Long.MAX_VALUE);
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(host.firmware().initialised() ? "initialised" : "not initialised");
    }
}
