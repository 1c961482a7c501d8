using System.CommandLine;
using AuditCli;

return await Composition.Root(Composition.Host()).Parse(args).InvokeAsync(new InvocationConfiguration
{
    // Ctrl+C stops the asking at once; this is the time to flush what was already collected.
    ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
});
