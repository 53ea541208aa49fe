namespace PaymentPlatform.LocalInfrastructure;

/// <summary>One process at a time uses a data directory; the operating system takes the lock back when the process ends.</summary>
internal static class DataDirectoryLock
{
    public static FileStream Take(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
            return new FileStream(Path.Combine(directory, "platform.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new LocalPlatformException($"The data folder {directory} can't be written: {exception.Message} Choose another with --data.", exception);
        }
        catch (IOException exception) when (File.Exists(directory))
        {
            throw new LocalPlatformException($"The data folder {directory} is a file. Choose another with --data.", exception);
        }
        catch (IOException exception) when (Directory.Exists(directory))
        {
            throw new LocalPlatformException(
                $"The data folder {directory} is in use by another platform. Stop that one, choose another folder with --data, or join it with --connections {Path.Combine(directory, "connections.json")}.", exception) { IsInUse = true };
        }
        catch (IOException exception)
        {
            throw new LocalPlatformException($"The data folder {directory} can't be made: {exception.Message} Choose another with --data.", exception);
        }
    }
}
