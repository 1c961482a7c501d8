using System.Diagnostics;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>Kubernetes' own client, for comparison.</summary>
internal static class Kubectl
{
    /// <summary>Returns the output of kubectl, which must succeed.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        var (code, output, faults) = await StartAsync(arguments);
        Assert.True(code == 0, faults);
        return output;
    }

    /// <summary>Returns <c>yes</c> or <c>no</c>. kubectl also exits with 1 for <c>no</c>.</summary>
    public static async Task<string> CanIAsync(string kubeconfig, params string[] question)
    {
        var (_, output, faults) = await StartAsync(["--kubeconfig", kubeconfig, "auth", "can-i", .. question]);
        // The server can append a reason.
        var word = output.Split(' ', '\n')[0];
        Assert.True(word is "yes" or "no", output + faults);
        return word;
    }

    private static async Task<(int Code, string Output, string Faults)> StartAsync(string[] arguments)
    {
        var start = new ProcessStartInfo("kubectl") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var faults = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await faults);
    }
}
