# Writes layers.safetensors, and prints what pytorch.rs of the command's tests expects.
import torch
from safetensors.torch import save_file
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.place = nn.Embedding(2, 2)
        self.fc = nn.Linear(5, 4)
        self.norm = nn.BatchNorm1d(4)
        self.layer_norm = nn.LayerNorm(4)
        self.bend = nn.PReLU()
        self.y = nn.Linear(4, 2)

    def forward(self, x, k):
        h = self.fc(torch.cat([x, self.place(k)], 1))
        return self.y(self.bend(self.layer_norm(self.norm(h))))


torch.manual_seed(0)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), 0.5)
for _ in range(20):
    optimizer.zero_grad()
    x = torch.randn(16, 3)
    (model(x, torch.randint(0, 2, (16,))) - x[:, :2]).square().mean().backward()
    optimizer.step()
model.eval()
torch.set_printoptions(7)
print(model(torch.tensor([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]]), torch.tensor([1, 0])))
save_file(model.state_dict(), "layers.safetensors")
