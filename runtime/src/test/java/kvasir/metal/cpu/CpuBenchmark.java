package kvasir.metal.cpu;

import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Speed of the block interpreter: {@code main} prints million guest instructions per second of CPU time. */
final class CpuBenchmark {
    private static final long WARM_UP = 50_000_000;
    private static final long MEASURED = 200_000_000;

    private CpuBenchmark() {}

    private static Map<String, String> loops() {
        var loops = new LinkedHashMap<String, String>();
        loops.put("alu", """
                mov rcx, 1000000000
                again: add rax, rcx
                xor rdx, rax
                lea rbx, [rax+rdx*4+5]
                sub rbx, 3
                dec rcx
                jnz again
                """);
        loops.put("copy", """
                mov rsi, 0x300000
                again: mov rcx, 1024
                next: mov rax, [rsi+rcx*8]
                add rax, rdx
                mov [rsi+rcx*8+0x10000], rax
                dec rcx
                jnz next
                jmp again
                """);
        loops.put("sieve", """
                again: mov rdi, 0x400000
                mov ecx, 65536
                mov al, 1
                rep stosb
                mov ebx, 2
                candidate: movzx eax, byte [rbx+0x400000]
                test al, al
                jz next
                lea ecx, [rbx+rbx]
                strike: cmp ecx, 65536
                jae next
                mov byte [rcx+0x400000], 0
                add ecx, ebx
                jmp strike
                next: inc ebx
                cmp ebx, 65536
                jb candidate
                jmp again
                """);
        loops.put("fib", """
                again: mov edi, 20
                call fib
                jmp again
                fib: cmp edi, 2
                jb small
                push rdi
                dec edi
                call fib
                pop rdi
                push rax
                sub edi, 2
                call fib
                pop rdx
                add eax, edx
                ret
                small: mov eax, edi
                ret
                """);
        loops.put("sse", """
                mov eax, 1
                mov edx, 3
                cvtsi2sd xmm1, eax
                cvtsi2sd xmm2, edx
                divsd xmm1, xmm2
                movddup xmm1, xmm1
                again: mov rcx, 1024
                next: movups xmm0, [rsi+rcx*8+0x300000]
                addpd xmm0, xmm1
                mulpd xmm0, xmm1
                movaps xmm3, xmm0
                subpd xmm3, xmm1
                movups [rsi+rcx*8+0x300000], xmm0
                dec rcx
                jnz next
                jmp again
                """);
        loops.put("avx2", """
                again: mov rcx, 1024
                next: vmovdqu ymm0, [rsi+rcx*8+0x300000]
                vpaddd ymm1, ymm1, ymm0
                vpxor ymm2, ymm2, ymm1
                vpslld ymm3, ymm2, 7
                vpcmpeqb ymm4, ymm3, ymm0
                vpand ymm1, ymm1, ymm4
                vmovdqu [rsi+rcx*8+0x310000], ymm1
                dec rcx
                jnz next
                jmp again
                """);
        return loops;
    }

    /** Names of loops to run; all without any. */
    public static void main(String[] names) {
        var threads = ManagementFactory.getThreadMXBean();
        for (var loop : loops().entrySet()) {
            if (names.length != 0 && !java.util.List.of(names).contains(loop.getKey())) {
                continue;
            }
            Bench bench = Bench.silicon(loop.getValue());
            bench.cpu.run(WARM_UP);
            long start = threads.getCurrentThreadCpuTime();
            bench.cpu.run(MEASURED);
            double seconds = (threads.getCurrentThreadCpuTime() - start) / 1e9;
            System.out.printf(
                    Locale.ROOT, "%-6s %.0f million instructions/s%n", loop.getKey(), MEASURED / seconds / 1e6);
        }
    }
}
