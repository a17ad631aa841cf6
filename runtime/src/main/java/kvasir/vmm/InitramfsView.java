package kvasir.vmm;

import java.nio.charset.StandardCharsets;
import java.util.List;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.vmm.boot.Initramfs;

/** An initial RAM file system in the making, {@code initramfs("/bin/busybox")}. */
final class InitramfsView implements Described {
    static final Api<InitramfsView> API = Api.of(
                    "initramfs", InitramfsView.class, "An initial RAM file system, for `linux(..., initrd: fs.cpio)`.")
            .operation(
                    "add",
                    List.of(
                            Parameter.of("path", Kind.STRING, "", "where, with slashes; folders above it are made"),
                            Parameter.of("content", Kind.BYTES, "", "the file's bytes"),
                            VmBuilder.flag("program", "of mode 0755, else 0644")),
                    "Adds a file, in place of the one that is there.",
                    "fs.add \"/etc/motd\" file(\"motd\")",
                    (fs, a) -> fs.add(a.string("path"), a.bytes("content"), a.flag("program")))
            .operation(
                    "init",
                    List.of(Parameter.of("text", Kind.STRING, "", "a shell script without its first line")),
                    "Adds /init, which the kernel starts: after /proc, /sys and /dev are mounted it runs the text with "
                            + "busybox' shell.",
                    "fs.init \"exec sh\"",
                    (fs, a) -> fs.init(a.string("text")))
            .property(
                    "cpio",
                    "bytes",
                    "The archive, in the newc format.",
                    "let initrd = fs.cpio",
                    fs -> Bytes.of(fs.archive.toBytes()))
            .build();

    private static final String PRELUDE = """
            #!/bin/sh
            /bin/busybox --install -s /bin
            mount -t proc proc /proc
            mount -t sysfs sysfs /sys
            mount -t devtmpfs dev /dev
            """;

    private final Initramfs archive = new Initramfs();

    /** With busybox as its programs and a shell on the console. */
    InitramfsView(Bytes busybox) {
        archive.program("bin/busybox", busybox.toArray())
                .link("bin/sh", "busybox")
                .directory("proc")
                .directory("sys")
                .directory("tmp")
                .device("dev/console", 5, 1);
        init("exec setsid cttyhack sh\n");
    }

    private Outcome add(String path, Bytes content, boolean program) {
        if (program) {
            archive.program(path, content.toArray());
        } else {
            archive.file(path, content.toArray());
        }
        return Outcome.ok();
    }

    private Outcome init(String text) {
        archive.program("init", (PRELUDE + text + "\n").getBytes(StandardCharsets.UTF_8));
        return Outcome.ok();
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return "initramfs";
    }
}
