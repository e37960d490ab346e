import torch
from safetensors.torch import save_file

torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)
)
print(model(torch.tensor([1.0, 2.0, 3.0, 4.0])))
save_file(model.state_dict(), "sequential.safetensors")
