namespace AuditCli.Tests;

/// <summary>Approved output. <c>AUDITCLI_APPROVE=1</c> rewrites the files, which are then read before they are committed.</summary>
public static class Golden
{
    public static void Matches(string name, string actual)
    {
        var file = Repository.Path("tests", "AuditCli.Tests", "Golden", name);
        if (Environment.GetEnvironmentVariable("AUDITCLI_APPROVE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
        }
        Assert.True(File.Exists(file), $"{file} is not approved yet: AUDITCLI_APPROVE=1 dotnet test, then read it");
        Assert.Equal(File.ReadAllText(file), actual);
    }
}
